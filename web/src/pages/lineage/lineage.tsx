import { IconDots, IconGitFork } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { q } from '../../api/queries.ts'
import type { LineageGraph } from '../../api/types.ts'
import { Empty, Show } from '../../kit/condition.tsx'
import { shortId } from '../../kit/format.ts'
import { Graph } from '../../kit/graph.tsx'
import { A } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { Mark, toneOf, wordsOf } from '../../kit/state.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { pathOfSubject, paths } from '../../paths.ts'
import styles from './lineage.module.css'

/** Where a thing comes from, on the left, and what became of it, on the right. */
export function Lineage() {
  const [kind] = useUrlState('kind')
  const [id] = useUrlState('id')
  const query = useQuery({ ...q.lineage(kind, id), enabled: Boolean(kind && id) })
  const self = pathOfSubject(kind, id)
  return (
    <Page
      title="Lineage"
      crumbs={self ? [{ label: `${kind.replaceAll('-', ' ')} ${shortId(id)}`, href: self }] : []}
      lead="From the data on the left to what serves on the right. A node opens its record; its branch icon draws the graph around it."
    >
      <Panel>
        {kind && id ? (
          <Show query={query} what="the graph">
            {(graph) => <Drawn graph={graph} />}
          </Show>
        ) : (
          <Empty title="Lineage of what?">Open it from a release, a run, a model version or a dataset version.</Empty>
        )}
      </Panel>
    </Page>
  )
}

const keyOf = ({ kind, id }: { kind: string; id: string }) => `${kind} ${id}`

function Drawn({ graph }: { graph: LineageGraph }) {
  const nodes = useMemo(
    () =>
      graph.nodes.map(({ kind, id, label, state, distance, cut }) => {
        const href = pathOfSubject(kind, id)
        const words = (
          <>
            <span className={styles.kind}>
              {state && <Mark tone={toneOf(state)} size={8} />}
              {kind.replaceAll('-', ' ')}
              {state && <span className="sr">, {wordsOf(state)}</span>}
            </span>
            <span className={styles.label}>{label === id ? shortId(id) : label}</span>
          </>
        )
        return {
          id: keyOf({ kind, id }),
          body: (
            <div className={styles.node} data-here={distance === 0 || undefined}>
              {href ? (
                <A href={href} title={label}>
                  {words}
                </A>
              ) : (
                <span title={label}>{words}</span>
              )}
              {distance !== 0 && (
                <A
                  href={paths.lineage(kind, id)}
                  className={styles.around}
                  aria-label={`Lineage around ${label}`}
                  title={cut ? 'There is more: draw around it' : 'Draw around it'}
                >
                  {cut ? <IconDots size={14} /> : <IconGitFork size={14} />}
                </A>
              )}
            </div>
          ),
        }
      }),
    [graph],
  )
  const edges = useMemo(() => graph.edges.map(({ from, to }) => ({ from: keyOf(from), to: keyOf(to) })), [graph])
  const here = graph.nodes.find(({ distance }) => distance === 0)
  return (
    <>
      {graph.nodes.length < 2 && <p className={styles.note}>Nothing is recorded before or after it.</p>}
      <Graph label="Lineage" nodes={nodes} edges={edges} {...(here && { middle: keyOf(here) })} />
      {graph.truncated && (
        <p className={styles.note}>The graph is larger than what is drawn: open a node to go on from there.</p>
      )}
    </>
  )
}
