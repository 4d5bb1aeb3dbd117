import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { Loading, Problem } from '../../kit/condition.tsx'
import { bytes } from '../../kit/format.ts'
import styles from './artifacts.module.css'
import { fetchPart } from './file.ts'

const PART_BYTES = 1024 ** 2

/** Text with the numbers of its lines: the first megabyte, and one more at each wish. `instead` is shown in place of the file. */
export function TextView({ run, path, instead }: { run: string; path: string; instead?: string }) {
  const query = useInfiniteQuery({
    queryKey: ['run-file-text', run, path],
    queryFn: async ({ pageParam, signal }) => {
      const { blob, total } = await fetchPart(run, path, pageParam, PART_BYTES, signal)
      return { bytes: new Uint8Array(await blob.arrayBuffer()), total }
    },
    initialPageParam: 0,
    getNextPageParam: (last, all) => {
      const have = all.reduce((sum, part) => sum + part.bytes.length, 0)
      return have < last.total && last.bytes.length > 0 ? have : undefined
    },
    staleTime: Number.POSITIVE_INFINITY,
    enabled: instead === undefined,
  })
  const text = useMemo(() => {
    if (instead !== undefined) return instead
    // A letter may lie across two parts.
    const decoder = new TextDecoder()
    return query.data?.pages.map((part) => decoder.decode(part.bytes, { stream: true })).join('')
  }, [instead, query.data])
  if (query.isError && text === undefined)
    return <Problem error={query.error} retry={() => void query.refetch()} inline />
  if (text === undefined) return <Loading what={path} lines={6} />
  if (text.includes('\0')) return <p className="muted">It holds bytes that are not text. Download it.</p>
  if (text === '') return <p className="muted">The file is empty.</p>
  const parts = query.data?.pages ?? []
  const read = parts.reduce((sum, part) => sum + part.bytes.length, 0)
  return (
    <>
      <Lines label={path} text={text} />
      {query.hasNextPage && (
        <p className="row wrap muted small">
          The first {bytes(read)} of {bytes(parts[0]?.total)}.
          <Button
            size="compact-xs"
            variant="default"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            Show more
          </Button>
        </p>
      )}
    </>
  )
}

/** Lines laid out together. What is not in sight is not laid out at all: a megabyte shows at once. */
const BLOCK_LINES = 400
const LINE_PX = 18

function Lines({ label, text }: { label: string; text: string }) {
  const blocks = useMemo(() => {
    const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
    return Array.from({ length: Math.ceil(lines.length / BLOCK_LINES) }, (_, at) => ({
      first: at * BLOCK_LINES + 1,
      lines: lines.slice(at * BLOCK_LINES, (at + 1) * BLOCK_LINES),
    }))
  }, [text])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section aria-label={label} tabIndex={0} className={styles.text}>
      {blocks.map(({ first, lines }) => (
        <div
          key={first}
          className={styles.block}
          style={{ containIntrinsicHeight: `auto ${lines.length * LINE_PX}px` }}
        >
          <pre aria-hidden="true" className={styles.numbers}>
            {lines.map((_, at) => first + at).join('\n')}
          </pre>
          <pre>{`${lines.join('\n')}\n`}</pre>
        </div>
      ))}
    </section>
  )
}
