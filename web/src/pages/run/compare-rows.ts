/** The table of a comparison: what differs stands first, judged by the values themselves. */
import type { RunDetail } from '../../api/types.ts'
import { measure, NONE } from '../../kit/format.ts'

type Compared = Pick<RunDetail, 'run_id' | 'name' | 'params' | 'metrics'>

export interface CompareRow {
  key: string
  /** In the order of the runs. */
  values: string[]
  differs: boolean
}

export function compareRows(runs: readonly Compared[], of: 'params' | 'metrics'): CompareRow[] {
  const keys = [...new Set(runs.flatMap((run) => run[of].map(({ key }) => key)))].sort()
  return keys
    .map((key) => {
      const raw = runs.map((run) => run[of].find((each) => each.key === key)?.value)
      return { key, values: wordsOf(raw), differs: new Set(raw).size > 1 }
    })
    .sort((a, b) => Number(b.differs) - Number(a.differs))
}

/** Rounded as everywhere, unless that makes different values look alike. */
function wordsOf(raw: readonly (string | number | null | undefined)[]): string[] {
  const rounded = raw.map((value) => (value === null ? 'NaN' : measure(value)))
  if (new Set(rounded).size === new Set(raw).size) return rounded
  return raw.map((value) => (value === null ? 'NaN' : value === undefined ? NONE : String(value)))
}

/** Names for a legend: those that several runs have get the beginning of the run's id. */
export function labelsOf(runs: readonly Pick<Compared, 'run_id' | 'name'>[]): Map<string, string> {
  const named = Map.groupBy(runs, ({ name }) => name)
  return new Map(
    runs.map(({ run_id, name }) => [run_id, named.get(name)!.length > 1 ? `${name} ${run_id.slice(0, 6)}` : name]),
  )
}
