import { api } from '../../api/client.ts'

const EVERY_MS = 10_000

/** Asked for again and again: calls are counted without events. */
export const compatibilityQuery = {
  queryKey: ['access', 'compatibility'] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }) =>
    (await api.GET('/api/slipway/v1/compatibility', { signal })).data!,
  refetchInterval: EVERY_MS,
}

type Reply = Awaited<ReturnType<typeof compatibilityQuery.queryFn>>
/** Calls of one client to one endpoint. */
export type Call = Reply['items'][number]
