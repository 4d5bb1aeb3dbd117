import type { ReactNode } from 'react'
import type { Bundle, ReleaseDetail } from '../../api/types.ts'
import { shortId } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Panel } from '../../kit/page.tsx'
import { paths } from '../../paths.ts'
import styles from './release.module.css'

interface Row {
  label: string
  of: (bundle: Bundle) => string
  show: (bundle: Bundle) => ReactNode
}

const digest = (value: string | null) =>
  value ? <code title={value}>{shortId(value)}</code> : <span className="muted">not known</span>

const ROWS: readonly Row[] = [
  {
    label: 'Model version',
    of: (b) => `${b.model}/${b.version}`,
    show: (b) => (
      <A href={paths.modelVersion(b.model, b.version)}>
        {b.model} {b.version}
      </A>
    ),
  },
  { label: 'Files', of: (b) => b.model_digest ?? '', show: (b) => digest(b.model_digest) },
  {
    label: 'Form that serves',
    of: (b) => b.form ?? '',
    show: (b) =>
      b.form === 'onnx' ? 'compiled (ONNX)' : b.form === 'python' ? 'Python' : <span className="muted">not known</span>,
  },
  {
    label: 'Run',
    of: (b) => b.run ?? '',
    show: (b) =>
      b.run ? (
        <A href={paths.run(b.run)}>
          <code>{shortId(b.run)}</code>
        </A>
      ) : (
        <span className="muted">registered without one</span>
      ),
  },
  {
    label: 'Training data',
    of: (b) => b.data.map(({ digest: each }) => each).join(),
    show: (b) =>
      b.data.length === 0 ? (
        <span className="muted">none of ours</span>
      ) : (
        b.data.map(({ id, name, number }) => (
          <A key={id} href={paths.datasetVersion(name, number)} className="nowrap">
            {name} {number}{' '}
          </A>
        ))
      ),
  },
  { label: 'Code', of: (b) => b.code ?? '', show: (b) => digest(b.code) },
  {
    label: 'Commit',
    of: (b) => b.commit ?? '',
    show: (b) =>
      b.commit ? <code title={b.commit}>{b.commit.slice(0, 8)}</code> : <span className="muted">not known</span>,
  },
  { label: 'Environment', of: (b) => b.environment ?? '', show: (b) => digest(b.environment) },
  {
    label: 'Endpoint settings',
    of: (b) => JSON.stringify(b.endpoint ?? null),
    show: (b) => (
      <details>
        <summary>as applied</summary>
        <pre className={styles.settings}>{JSON.stringify(b.endpoint, null, 2)}</pre>
      </details>
    ),
  },
]

/** What a release stands on, beside what it takes the place of. */
export function BundleDiff({ release }: { release: ReleaseDetail }) {
  const after = release.bundle
  const before = release.previous_release?.bundle ?? null
  if (!after) return null
  const changed = before ? ROWS.filter(({ of }) => of(before) !== of(after)).length : ROWS.length
  return (
    <Panel
      title="What changes"
      note={
        before
          ? `${changed} of ${ROWS.length} parts differ. Rolling back restores all of them.`
          : 'The first release of this endpoint: everything is new.'
      }
      aside={release.previous_release && <A href={paths.release(release.previous_release.id)}>The release before</A>}
    >
      <div className={styles.scroll}>
        <table className={styles.diff}>
          <thead>
            <tr>
              <th scope="col">Part</th>
              {before && <th scope="col">Before, version {before.version}</th>}
              <th scope="col">With this release</th>
            </tr>
          </thead>
          <tbody>
            {ROWS.map(({ label, of, show }) => {
              const differs = before !== null && of(before) !== of(after)
              return (
                <tr key={label} data-differs={differs || undefined}>
                  <th scope="row">
                    {label}
                    {differs && <span className="sr"> changes</span>}
                  </th>
                  {before && <td>{show(before)}</td>}
                  <td>{show(after)}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}
