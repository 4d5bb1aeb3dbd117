import type { RunDetail } from '../../api/types.ts'

/** Names for a legend: those that several runs have get the beginning of the run's id. */
export function labelsOf(runs: readonly Pick<RunDetail, 'run_id' | 'name'>[]): Map<string, string> {
  const named = Map.groupBy(runs, ({ name }) => name)
  return new Map(
    runs.map(({ run_id, name }) => [run_id, named.get(name)!.length > 1 ? `${name} ${run_id.slice(0, 6)}` : name]),
  )
}
