/** The columns of a table that nobody has arranged: the metrics and params that most runs have. */
import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { idOf } from './columns.ts'
import { columnKeys } from './data.ts'

const LOOKED_AT = 500
const METRICS = 5
const PARAMS = 4

/** Undefined until it is known. */
export function useColumns(
  experiments: readonly string[],
  chosen: readonly string[] | undefined,
): string[] | undefined {
  const enabled = chosen === undefined
  const metrics = useInfiniteQuery({ ...columnKeys(experiments, 'metric', '', LOOKED_AT), enabled, retry: false })
  const params = useInfiniteQuery({ ...columnKeys(experiments, 'param', '', LOOKED_AT), enabled, retry: false })
  const [first, second] = [metrics.data?.pages[0]?.items, params.data?.pages[0]?.items]
  const isOver = !metrics.isPending && !params.isPending
  return useMemo(() => {
    if (chosen) return [...chosen]
    if (!isOver) return undefined
    return [
      'status',
      ...most(first, METRICS),
      ...most(second, PARAMS),
      ...(experiments.length > 1 ? ['experiment'] : []),
      'took',
      'start',
    ]
  }, [chosen, first, second, isOver, experiments.length])
}

type Keys = readonly { kind: 'metric' | 'param' | 'tag'; key: string; runs: number }[]

/** What the client logs of the machine says little of the model. */
const most = (keys: Keys | undefined, n: number): string[] =>
  (keys ?? [])
    .filter(({ key }) => !key.startsWith('system/'))
    .sort((a, b) => b.runs - a.runs)
    .slice(0, n)
    .map(({ kind, key }) => idOf(kind, key))
