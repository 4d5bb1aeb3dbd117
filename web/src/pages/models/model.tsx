import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { q } from '../../api/queries.ts'
import { Empty } from '../../kit/condition.tsx'
import { bytes, shortId } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Facts, Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { List } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'
import styles from './models.module.css'

export function Model() {
  const { model: name } = useParams({ strict: false }) as { model: string }
  const model = useQuery(q.model(name))
  const versions = useInfiniteQuery(q.modelVersions(name))
  const prepared = new Map(useQuery(q.preparations(name)).data?.items.map((each) => [each.version, each]))
  const releases = useInfiniteQuery({ ...q.releases({ model: name }), retry: false }).data?.pages[0]?.items ?? []
  const newest = (versions.data?.pages[0]?.items ?? []).slice(0, 2).map(({ version }) => version)
  return (
    <Page
      title={name}
      crumbs={[{ label: 'Models', href: paths.models() }]}
      lead={model.data?.description}
      actions={newest.length > 1 && <A href={paths.compareVersions(name, newest.join(','))}>Compare versions</A>}
      facts={
        model.data && (
          <Facts
            items={[
              [
                'Aliases',
                model.data.aliases.length === 0 ? (
                  <span key="n" className="muted">
                    none
                  </span>
                ) : (
                  model.data.aliases.map(({ alias, version }) => (
                    <A key={alias} href={paths.modelVersion(name, version)} className={styles.alias}>
                      @{alias} {version}
                    </A>
                  ))
                ),
              ],
              ['Made by', model.data.created_by],
              ['Made', <Time key="t" at={model.data.created_at} />],
              ...model.data.tags.slice(0, 6).map(({ key, value }) => [key, value] as const),
            ]}
          />
        )
      }
    >
      <Panel title="Versions">
        <List
          label="Versions"
          what="versions"
          query={versions}
          keyOf={({ version }) => String(version)}
          hrefOf={({ version }) => paths.modelVersion(name, version)}
          empty={<Empty title="No version is left" />}
          columns={[
            {
              key: 'version',
              head: 'Version',
              cell: ({ version, aliases }) => (
                <span className="row">
                  <A href={paths.modelVersion(name, version)}>{version}</A>
                  {aliases.map((alias) => (
                    <span key={alias} className={styles.alias}>
                      @{alias}
                    </span>
                  ))}
                </span>
              ),
              sortBy: ({ version }) => version,
            },
            {
              key: 'form',
              head: 'Form',
              cell: ({ version }) => {
                const found = prepared.get(version)
                return found ? (
                  <State
                    value={found.state}
                    words={
                      found.state === 'waiting'
                        ? 'is prepared'
                        : found.form === 'onnx'
                          ? 'compiled'
                          : found.form === 'python'
                            ? 'Python'
                            : 'does not load'
                    }
                    why={found.reason}
                  />
                ) : (
                  ''
                )
              },
            },
            {
              key: 'release',
              head: 'Last release',
              cell: ({ version }) => {
                const found = releases.find((release) => release.version === version)
                return found ? (
                  <A href={paths.release(found.id)}>
                    <State value={found.state} why={found.reason} />
                  </A>
                ) : (
                  <span className="muted small">none</span>
                )
              },
            },
            {
              key: 'run',
              head: 'Run',
              cell: ({ run_id }) =>
                run_id ? (
                  <A href={paths.run(run_id)}>
                    <code>{shortId(run_id)}</code>
                  </A>
                ) : (
                  ''
                ),
            },
            {
              key: 'about',
              head: 'About',
              grow: true,
              wide: true,
              cell: ({ description }) => <span className="soft small">{description}</span>,
            },
            {
              key: 'size',
              head: 'Size',
              align: 'right',
              wide: true,
              cell: ({ size_bytes }) => bytes(size_bytes),
              sortBy: ({ size_bytes }) => size_bytes,
            },
            {
              key: 'when',
              head: 'Registered',
              align: 'right',
              cell: ({ created_at }) => <Time at={created_at} />,
              sortBy: ({ created_at }) => created_at,
            },
          ]}
        />
      </Panel>
    </Page>
  )
}
