import type { DatasetVersion } from '../../api/types.ts'
import { State } from '../../kit/state.tsx'

/** One word for what a version is good for: read, and checked. */
export function VersionState({ version }: { version: Pick<DatasetVersion, 'state' | 'verdict' | 'failure'> }) {
  if (version.state === 'failed') return <State value="failed" words="cannot be read" why={version.failure} />
  if (version.state === 'pending') return <State value="running" words="is profiled" />
  if (version.verdict === 'pending') return <State value="running" words="is checked" />
  if (version.verdict === 'none') return <State value="idle" words="no checks" />
  return <State value={version.verdict} words={version.verdict === 'failed' ? 'failed its checks' : undefined} />
}
