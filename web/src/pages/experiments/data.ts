/** What the list of experiments reads: experiments of a folder, and the folders. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'

const V1 = '/api/slipway/v1'
const PAGE = 50

export const experimentsIn = (folder: string) =>
  infiniteQueryOptions({
    queryKey: ['tracking', 'experiments', 'in', folder],
    queryFn: async ({ pageParam, signal }) => {
      const query = { limit: PAGE, ...(folder && { folder }), ...(pageParam && { cursor: pageParam }) }
      return (await api.GET(`${V1}/experiments`, { params: { query }, signal })).data!
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor,
  })

export const folders = () =>
  queryOptions({
    queryKey: ['tracking', 'experiment-folders'],
    queryFn: async ({ signal }) => (await api.GET(`${V1}/experiments/folders`, { signal })).data!.items,
  })
