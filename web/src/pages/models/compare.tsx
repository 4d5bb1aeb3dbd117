import { Checkbox, MultiSelect } from '@mantine/core'
import { useInfiniteQuery, useQueries } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { ApiProblem } from '../../api/client.ts'
import { q } from '../../api/queries.ts'
import type { ModelVersion } from '../../api/types.ts'
import { Empty, Loading, Problem } from '../../kit/condition.tsx'
import { plural } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { paths } from '../../paths.ts'
import { type DiffSection, deltaOf, diffSections, shown } from './compare-rows.ts'
import styles from './models.module.css'

const VERSIONS_MAX = 6

/** Versions of a model side by side: metrics against the first, parameters, signature, environment, files. */
export function CompareVersions() {
  const { model } = useParams({ strict: false }) as { model: string }
  const [chosen, setChosen] = useUrlState('versions')
  const [same, setSame] = useUrlState('same')
  const all = useInfiniteQuery(q.modelVersions(model)).data?.pages.flatMap(({ items }) => items) ?? []
  const numbers = [...new Set(chosen.split(',').map(Number))]
    .filter((number) => Number.isInteger(number) && number > 0)
    .slice(0, VERSIONS_MAX)
  const queries = useQueries({ queries: numbers.map((number) => q.modelVersion(model, number)) })
  const failed = queries.find(({ isError }) => isError)
  const known = queries.flatMap(({ data }) => data ?? [])
  return (
    <Page
      title={`Compare versions of ${model}`}
      crumbs={[
        { label: 'Models', href: paths.models() },
        { label: model, href: paths.model(model) },
      ]}
    >
      <div className="row wrap">
        <MultiSelect
          label="Versions; the others are compared with the first"
          size="xs"
          searchable
          maxValues={VERSIONS_MAX}
          w="min(32rem, 100%)"
          data={[...new Set([...numbers, ...all.map(({ version }) => version)])].map(String)}
          value={numbers.map(String)}
          onChange={(next) => setChosen(next.join(','))}
        />
        <Checkbox
          size="xs"
          label="Show what is equal, too"
          checked={same === '1'}
          onChange={(event) => setSame(event.currentTarget.checked ? '1' : undefined)}
        />
      </div>
      {failed && (
        <Problem
          error={failed.error}
          {...(!(failed.error instanceof ApiProblem && failed.error.status === 404) && {
            retry: () => void failed.refetch(),
          })}
          inline
        />
      )}
      {known.length < 2 ? (
        numbers.length < 2 || failed ? (
          <Panel>
            <Empty title="Choose two versions or more" />
          </Panel>
        ) : (
          <Loading what="the versions" />
        )
      ) : (
        diffSections(known).map((section) => (
          <Section key={section.title} section={section} versions={known} model={model} same={same === '1'} />
        ))
      )}
    </Page>
  )
}

function Section({
  section: { title, rows },
  versions,
  model,
  same,
}: {
  section: DiffSection
  versions: readonly ModelVersion[]
  model: string
  same: boolean
}) {
  const different = rows.filter(({ differs }) => differs)
  const listed = same ? rows : different
  return (
    <Panel title={title} note={`${different.length} of ${plural(rows.length, 'line')} differ.`}>
      {listed.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <section className={styles.diff} aria-label={title} tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">
                  <span className="sr">Name</span>
                </th>
                {versions.map(({ version, aliases }) => (
                  <th key={version} scope="col">
                    <A href={paths.modelVersion(model, version)}>Version {version}</A>{' '}
                    {aliases.map((alias) => (
                      <span key={alias} className={styles.alias}>
                        @{alias}
                      </span>
                    ))}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {listed.map((row) => (
                <tr key={row.key} data-differs={row.differs || undefined}>
                  <th scope="row">{row.key}</th>
                  {row.values.map((value, at) => {
                    const delta = title === 'Metrics' ? deltaOf(row, at) : undefined
                    const changed = at > 0 && value !== row.values[0]
                    return (
                      <td key={versions[at]!.version} data-changed={changed || undefined}>
                        {shown(value)}
                        {delta && <span className="muted small"> {delta}</span>}
                        {changed && value === undefined && <span className="sr">, gone</span>}
                      </td>
                    )
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Panel>
  )
}
