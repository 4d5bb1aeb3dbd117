import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { q } from '../../api/queries.ts'
import type { ModelVersion as Version } from '../../api/types.ts'
import { Code } from '../../kit/code.tsx'
import { Empty, Show } from '../../kit/condition.tsx'
import { bytes, count, measure, shortId } from '../../kit/format.ts'
import { A, SubjectLink } from '../../kit/link.tsx'
import { Copy, Facts, Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { Table } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'
import { Words } from '../../kit/words.tsx'
import { paths } from '../../paths.ts'
import { Pairs } from '../run/pairs.tsx'
import { Importance } from './importance.tsx'
import styles from './models.module.css'
import { Signature } from './signature.tsx'

export function ModelVersion() {
  const { model, version: number } = useParams({ strict: false }) as { model: string; version: string }
  const query = useQuery(q.modelVersion(model, Number(number)))
  const version = query.data
  return (
    <Page
      title={`${model} ${number}`}
      crumbs={[
        { label: 'Models', href: paths.models() },
        { label: model, href: paths.model(model) },
      ]}
      state={version?.aliases.map((alias) => (
        <span key={alias} className={styles.alias}>
          @{alias}
        </span>
      ))}
      lead={version?.description}
      actions={
        <>
          {Number(number) > 1 && (
            <A href={paths.compareVersions(model, `${Number(number) - 1},${number}`)}>Compare with another</A>
          )}
          <A href={paths.lineage('model-version', `${model}/${number}`)}>Lineage</A>
        </>
      }
      facts={version && <VersionFacts version={version} />}
    >
      <Show query={query} what="the version">
        {(data) => (
          <>
            <Prepared model={model} version={data.version} />
            <ReleasesOf model={model} version={data.version} />
            <Importance model={model} version={data.version} />
            {data.holders.length > 0 && (
              <Panel title="Held by" note="These must let go of it before its files can change or go away.">
                <ul className={styles.holders}>
                  {data.holders.map(({ kind, id, reason }) => (
                    <li key={kind + id}>
                      <SubjectLink kind={kind} id={id}>
                        {kind.replaceAll('-', ' ')} {shortId(id)}
                      </SubjectLink>{' '}
                      <span className="soft">
                        <Words text={reason} />
                      </span>
                    </li>
                  ))}
                </ul>
              </Panel>
            )}
            <div className={styles.two}>
              <Panel title="Metrics of its training">
                {data.metrics.length === 0 ? (
                  <Empty title="None were logged" />
                ) : (
                  <Table
                    label="Metrics"
                    rows={data.metrics}
                    keyOf={({ key, step }) => `${key}${step}`}
                    columns={[
                      { key: 'key', head: 'Metric', cell: ({ key }) => key, grow: true },
                      { key: 'value', head: 'Value', align: 'right', cell: ({ value }) => measure(value) },
                    ]}
                  />
                )}
              </Panel>
              <Pairs
                label="Parameters"
                items={data.params}
                empty="No parameter was logged."
                hint={'mlflow.log_param("depth", 8)'}
              />
            </div>
            <Signature signature={data.signature} />
            <Panel title="Files" note={`${count(data.file_count)} files, ${bytes(data.size_bytes)}, pinned by digest.`}>
              <Table
                label="Files"
                rows={data.files}
                keyOf={({ path }) => path}
                columns={[
                  {
                    key: 'path',
                    head: 'File',
                    grow: true,
                    cell: ({ path }) => <code>{path}</code>,
                    sortBy: ({ path }) => path,
                  },
                  {
                    key: 'digest',
                    head: 'Digest',
                    wide: true,
                    cell: ({ digest }) => <code title={digest}>{shortId(digest)}</code>,
                  },
                  {
                    key: 'size',
                    head: 'Size',
                    align: 'right',
                    cell: ({ size_bytes }) => bytes(size_bytes),
                    sortBy: ({ size_bytes }) => size_bytes,
                  },
                ]}
              />
            </Panel>
            {data.requirements && (
              <Panel title="Requirements">
                <Code label="Requirements" className={styles.code} text={data.requirements} />
              </Panel>
            )}
          </>
        )}
      </Show>
    </Page>
  )
}

function VersionFacts({ version }: { version: Version }) {
  return (
    <Facts
      items={[
        ['Registered', <Time key="t" at={version.created_at} />],
        ['By', <Words key="w" text={version.created_by} />],
        version.run_id !== null && [
          'Run',
          <A key="r" href={paths.run(version.run_id)}>
            <code>{shortId(version.run_id)}</code>
          </A>,
        ],
        version.digest !== null && [
          'Digest',
          <Copy key="d" text={version.digest}>
            <code>{shortId(version.digest)}</code>
          </Copy>,
        ],
        version.python_version !== null && ['Python', version.python_version],
        version.mlflow_version !== null && ['MLflow', version.mlflow_version],
        ...version.tags.slice(0, 6).map(({ key, value }) => [key, value] as const),
      ]}
    />
  )
}

function Prepared({ model, version }: { model: string; version: number }) {
  const found = useQuery(q.preparations(model)).data?.items.find((each) => each.version === version)
  if (!found) return null
  return (
    <Panel
      title="How it serves"
      note={found.reason}
      aside={
        <State
          value={found.state}
          words={
            found.state === 'waiting'
              ? 'is prepared'
              : found.form === 'onnx'
                ? 'compiled, ONNX'
                : found.form === 'python'
                  ? 'Python'
                  : 'does not load'
          }
        />
      }
    >
      {found.report && (
        <details className={styles.report}>
          <summary>The whole report</summary>
          <Code label="Report" className={styles.code} text={JSON.stringify(found.report, null, 2)} />
        </details>
      )}
    </Panel>
  )
}

function ReleasesOf({ model, version }: { model: string; version: number }) {
  const releases = useInfiniteQuery({ ...q.releases({ model, version }), retry: false }).data?.pages[0]?.items
  if (!releases?.length) return null
  return (
    <Panel title="Releases">
      <Table
        label="Releases"
        sortField="releases"
        rows={releases}
        keyOf={({ id }) => id}
        hrefOf={({ id }) => paths.release(id)}
        columns={[
          { key: 'to', head: 'To', cell: ({ id, endpoint }) => <A href={paths.release(id)}>{endpoint}</A> },
          { key: 'state', head: 'State', cell: ({ state }) => <State value={state} /> },
          {
            key: 'why',
            head: 'Why',
            grow: true,
            cell: ({ reason, verdict }) => <span className="soft small">{reason ?? verdict?.reason}</span>,
          },
          { key: 'when', head: 'Proposed', align: 'right', cell: ({ proposed_ms }) => <Time at={proposed_ms} /> },
        ]}
      />
    </Panel>
  )
}
