import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { q } from '../../api/queries.ts'
import type { ReleaseDetail } from '../../api/types.ts'
import { Show } from '../../kit/condition.tsx'
import { shortId } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Copy, Facts, Page, Panel } from '../../kit/page.tsx'
import { State, toneOf, wordsOf } from '../../kit/state.tsx'
import { Time, Took } from '../../kit/time.tsx'
import { Words } from '../../kit/words.tsx'
import { paths } from '../../paths.ts'
import { Actions } from './actions.tsx'
import { BundleDiff } from './bundle.tsx'
import { Course } from './course.tsx'
import { Decisions } from './decisions.tsx'
import { Gate } from './gate.tsx'
import styles from './release.module.css'
import { Rollout } from './rollout.tsx'

export function Release() {
  const { release: id } = useParams({ strict: false }) as { release: string }
  const query = useQuery(q.release(id))
  const release = query.data
  const title = release
    ? `${release.model} version ${release.version} to ${release.endpoint}`
    : `Release ${shortId(id)}`
  return (
    <Page
      title={title}
      titleNode={
        release ? (
          <>
            <A href={paths.modelVersion(release.model, release.version)}>
              {release.model} {release.version}
            </A>{' '}
            <span className="muted">to</span> <A href={paths.endpoint(release.endpoint)}>{release.endpoint}</A>
          </>
        ) : (
          title
        )
      }
      crumbs={[
        { label: 'Releases', href: paths.releases() },
        ...(release ? [{ label: release.endpoint, href: paths.releases({ endpoint: release.endpoint }) }] : []),
      ]}
      state={release && <State value={release.state} />}
      actions={release && <Actions release={release} />}
      facts={release && <ReleaseFacts release={release} />}
    >
      <Show query={query} what="the release" lines={10}>
        {(data) => (
          <>
            <Panel>
              <Course release={data} />
              {data.reason && (
                <p className={styles.reason} data-tone={toneOf(data.state)}>
                  <strong>{wordsOf(data.state)}</strong> <Words text={data.reason} />
                </p>
              )}
            </Panel>
            {data.verdict ? (
              <Gate verdict={data.verdict} policy={data.policy} version={data.version} />
            ) : (
              <GateToCome release={data} />
            )}
            <Rollout release={data} />
            <BundleDiff release={data} />
            <Decisions decisions={data.decisions} />
          </>
        )}
      </Show>
    </Page>
  )
}

function ReleaseFacts({ release }: { release: ReleaseDetail }) {
  return (
    <Facts
      items={[
        ['Proposed', <Time key="t" at={release.proposed_ms} />],
        ['By', release.proposed_by.name],
        release.live_ms !== null && ['Live since', <Time key="t" at={release.live_ms} />],
        release.live_ms !== null && ['Took', <Took key="t" from={release.proposed_ms} to={release.live_ms} />],
        release.ended_ms !== null && ['Ended', <Time key="t" at={release.ended_ms} />],
        [
          'Id',
          <Copy key="i" text={release.id}>
            <code>{shortId(release.id)}</code>
          </Copy>,
        ],
        [
          'Lineage',
          <A key="l" href={paths.lineage('release', release.id)}>
            where it comes from
          </A>,
        ],
      ]}
    />
  )
}

function GateToCome({ release }: { release: ReleaseDetail }) {
  const rules = release.policy.gate?.rules ?? []
  const words =
    release.state === 'proposed'
      ? 'Waits for its turn: one release of an endpoint is under way at a time.'
      : release.state === 'checking'
        ? 'The candidate is prepared, then scores what was served; the verdict comes here by itself.'
        : 'It ended before the gate gave a verdict.'
  return (
    <Panel title="Gate" note={words}>
      {rules.length > 0 && (
        <ul className={styles.toCome}>
          {rules.map((rule) => (
            <li key={JSON.stringify(rule)}>{ruleWords(rule)}</li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

const ruleWords = (rule: object): string =>
  Object.entries(rule)
    .map(([key, value]) => `${key.replaceAll('_', ' ')} ${value}`)
    .join(', ')
