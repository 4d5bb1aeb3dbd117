import { paths } from '../../paths.ts'
import { packRuns } from './run-ids.ts'
import { readState, type TableState, writeState } from './state.ts'

/** The charts of these runs, in the colours and with the eyes that the table gives them. */
export function chartsHref(ids: readonly string[], { colors, hidden }: Pick<TableState, 'colors' | 'hidden'>): string {
  const own = new Set(ids)
  const looks = writeState({
    ...readState(''),
    colors: Object.fromEntries(Object.entries(colors).filter(([id]) => own.has(id))),
    hidden: hidden.filter((id) => own.has(id)),
  })
  return `${paths.charts({ runs: packRuns(ids) })}${looks && `&${looks}`}`
}
