import { ask } from '../../api/client.ts'

/** Calls of one client to one endpoint. */
export interface Call {
  client: string
  version: string | null
  endpoint: string
  method: string
  supported: boolean
  count: number
  /** RFC 3339. */
  last_seen: string
  note?: string | null
}

const EVERY_MS = 10_000
type Path = Parameters<typeof ask>[1]

export const compatibilityQuery = {
  queryKey: ['access', 'compatibility'] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    ask<{ items: Call[] }>('GET', '/api/slipway/v1/compatibility' as Path, { signal }),
  refetchInterval: EVERY_MS,
}
