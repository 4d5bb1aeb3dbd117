import { useQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import type { Why } from '../../api/types.ts'
import { count, day, measure, percent, shortId } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Copy, Facts } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { Time } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'
import styles from './why.module.css'

export function ModelVersion({ why: { version, preparation, prediction, endpoint } }: { why: Why }) {
  return (
    <Facts
      items={[
        [
          'Version',
          <A key="v" href={paths.modelVersion(endpoint.model, prediction.answered_version)}>
            {endpoint.model} {prediction.answered_version}
          </A>,
        ],
        ['Revision', <code key="r">{shortId(prediction.answered_by)}</code>],
        preparation && [
          'Form',
          preparation.form === 'onnx' ? 'compiled (ONNX)' : preparation.form === 'python' ? 'Python' : 'not prepared',
        ],
        version?.digest && [
          'Files',
          <Copy key="d" text={version.digest}>
            <code>{shortId(version.digest)}</code>
          </Copy>,
        ],
        version?.created_ms !== undefined && ['Registered', <Time key="t" at={version.created_ms} />],
      ]}
    />
  )
}

export function Gate({ release }: { release: NonNullable<Why['release']> }) {
  const live = release.decisions.find(({ state }) => state === 'live')
  return (
    <>
      <p>
        <A href={paths.release(release.id)}>Release of version {release.version}</A> <State value={release.state} />{' '}
        {release.verdict
          ? `The gate ${release.verdict.passed ? 'passed' : 'did not pass'} it: ${release.verdict.reason}`
          : 'It had no verdict of a gate.'}
      </p>
      {release.verdict && (
        <ul className={styles.rules}>
          {release.verdict.rules.map(({ words, outcome }) => (
            <li key={words}>
              <State value={outcome} /> {words}
            </li>
          ))}
        </ul>
      )}
      <p className="muted small">
        Proposed by {release.proposed_by.name}
        {live && (
          <>
            ; made live by {live.who.name}, <Time at={live.at_ms} />
          </>
        )}
        .
      </p>
    </>
  )
}

export function RunFacts({ run: id }: { run: string }) {
  const run = useQuery(q.run(id)).data
  return (
    <Facts
      items={[
        [
          'Run',
          <A key="r" href={paths.run(id)}>
            {run?.name ?? shortId(id)}
          </A>,
        ],
        run && ['State', <State key="s" value={run.status} />],
        run && ['Trained', <Time key="t" at={run.started} />],
        run && [
          'Experiment',
          <A key="e" href={paths.experiment(run.experiment_id)}>
            {run.experiment.name}
          </A>,
        ],
        ...(run?.metrics.slice(0, 4).map(({ key, value }) => [key, measure(value)] as const) ?? []),
      ]}
    />
  )
}

export function Data({ data }: { data: Why['data'] }) {
  return (
    <ul className={styles.data}>
      {data.map(({ id, name, number, verdict, version }) => (
        <li key={id}>
          <A href={paths.datasetVersion(name, number)}>
            {name} {number}
          </A>{' '}
          <State value={verdict} words={verdict === 'none' ? 'no checks' : undefined} />
          {version && (
            <span className="soft">
              {' '}
              {count(version.row_count)} rows
              {version.time_from_ms !== null &&
                version.time_to_ms !== null &&
                ` of ${day(version.time_from_ms)} to ${day(version.time_to_ms)}`}
              , <code>{shortId(version.digest)}</code>
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}

export function CodeAndEnvironment({ why: { code, environment, preparation } }: { why: Why }) {
  const parity = (preparation?.report as { parity?: { rows?: number; agreement?: number } } | null)?.parity
  return (
    <Facts
      items={[
        code && [
          'Commit',
          code.commit_id ? (
            <Copy key="c" text={code.commit_id}>
              <code>{code.commit_id.slice(0, 8)}</code>
            </Copy>
          ) : (
            'not in a repository'
          ),
        ],
        code && ['Branch', code.branch ?? undefined],
        code && [
          'Tree',
          code.dirty ? (
            <State key="d" value="waiting" words="with changes that were not committed" />
          ) : (
            <State key="d" value="ok" words="clean" />
          ),
        ],
        code && ['Snapshot', <code key="s">{shortId(code.digest)}</code>],
        code && ['Files', count(code.file_count)],
        environment && [
          'Environment lock',
          <Copy key="e" text={environment}>
            <code>{shortId(environment)}</code>
          </Copy>,
        ],
        parity?.agreement !== undefined && ['Parity', percent(parity.agreement, 2)],
      ]}
    />
  )
}
