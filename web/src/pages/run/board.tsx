import { Button } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { address, ask } from '../../api/client.ts'
import { Loading, Problem, Show } from '../../kit/condition.tsx'
import { count, plural } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import { Time } from '../../kit/time.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { Markdown } from '../artifacts/markdown.tsx'
import styles from './board.module.css'
import { type Bucket, Ridges } from './ridges.tsx'

const V1 = '/api/slipway/v1'
const PAGE = 48

interface Tag {
  kind: 'histogram' | 'text' | 'image'
  tag: string
  records: number
  first_step: number
  last_step: number
}
interface Shown {
  step: number
  at: string
  buckets?: Bucket[]
  text?: string
  image?: string
}

/** What the run shows beside numbers; empty for most. */
export const boardQuery = (run: string) => ({
  queryKey: ['tracking', 'board', run] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    ask<{ items: Tag[] }>('GET', `${V1}/runs/{run}/board`, { params: { path: { run } }, signal }),
})

const TITLES = { image: 'Images', histogram: 'Histograms', text: 'Texts' }
const KINDS = ['image', 'histogram', 'text'] as const

/** Images, histograms and texts of a run, one panel for each tag. */
export function Board({ run }: { run: string }) {
  const query = useQuery(boardQuery(run))
  const [chosen, setChosen] = useUrlState('tag')
  return (
    <Show query={query} what="what the run shows">
      {({ items }) => (
        <div className="stack">
          {KINDS.map((kind) => {
            const tags = items.filter((item) => item.kind === kind)
            return (
              tags.length > 0 && (
                <section key={kind} aria-label={TITLES[kind]} className="stack">
                  {tags.map((item, at) => {
                    const id = `${kind}:${item.tag}`
                    const open = chosen === id || (chosen === '' && at < 3)
                    return (
                      <Panel
                        key={id}
                        title={item.tag}
                        note={`${TITLES[kind]}: ${plural(item.records, 'record')}, step ${count(item.first_step)} to ${count(item.last_step)}`}
                        aside={
                          <Button
                            size="compact-xs"
                            variant="default"
                            aria-expanded={open}
                            onClick={() => setChosen(open ? 'none' : id)}
                          >
                            {open ? 'Hide' : 'Show'}
                          </Button>
                        }
                      >
                        {open && <Records run={run} tag={item} />}
                      </Panel>
                    )
                  })}
                </section>
              )
            )
          })}
        </div>
      )}
    </Show>
  )
}

function Records({ run, tag: { kind, tag } }: { run: string; tag: Tag }) {
  const query = useInfiniteQuery({
    queryKey: ['tracking', 'board-records', run, kind, tag],
    queryFn: ({ pageParam, signal }) =>
      ask<{ items: Shown[]; next_cursor?: string }>('GET', `${V1}/runs/{run}/board/records`, {
        params: { path: { run }, query: { kind, tag, limit: PAGE, ...(pageParam && { cursor: pageParam }) } },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  })
  if (!query.data)
    return query.isError ? (
      <Problem error={query.error} retry={() => void query.refetch()} inline />
    ) : (
      <Loading what={tag} lines={3} />
    )
  const items = query.data.pages.flatMap((page) => page.items)
  return (
    <div className={styles.records}>
      {kind === 'histogram' ? (
        <Ridges label={tag} rows={items.map(({ step, buckets }) => ({ step, buckets: buckets ?? [] }))} />
      ) : kind === 'image' ? (
        <ul className={styles.images}>
          {items.map(({ step, at, image }, position) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: records in the order of their pages
            <li key={position}>
              <figure>
                <img
                  loading="lazy"
                  src={address(`/runs/${encodeURIComponent(run)}/board/images/${encodeURIComponent(image ?? '')}`)}
                  alt={`${tag}, step ${step}`}
                />
                <figcaption className="muted small">
                  step {count(step)} · <Time at={at} />
                </figcaption>
              </figure>
            </li>
          ))}
        </ul>
      ) : (
        <ol className={styles.texts}>
          {items.map(({ step, at, text }, position) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: records in the order of their pages
            <li key={position}>
              <p className="muted small">
                step {count(step)} · <Time at={at} />
              </p>
              <Markdown text={text ?? ''} />
            </li>
          ))}
        </ol>
      )}
      {query.hasNextPage && (
        <Button
          size="compact-sm"
          variant="default"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </div>
  )
}
