import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useMemo } from 'react'
import { address } from '../../api/client.ts'
import { Loading, Problem } from '../../kit/condition.tsx'
import { bytes } from '../../kit/format.ts'
import { useUrlState } from '../../kit/url-state.ts'
import styles from './artifacts.module.css'
import { fetchPart } from './file.ts'
import { figureIn } from './parse.ts'
import { TextView } from './text-view.tsx'

const Figure = lazy(() => import('./figure.tsx').then(({ Figure }) => ({ default: Figure })))

/** What the server answers as a page. */
const PAGE_BYTES_MAX = 32 * 1024 ** 2
const READ_BYTES_MAX = 8 * 1024 ** 2

/**
 * A page out of a run, in a frame without an origin: its scripts run, but reach neither this page, nor cookies, nor
 * storage, nor any server. A figure of plotly that waits for its library from elsewhere is drawn here instead.
 */
export function HtmlView({ run, path }: { run: string; path: string }) {
  const [as, setAs] = useUrlState('as')
  const query = useQuery({
    queryKey: ['run-page', run, path],
    queryFn: async ({ signal }) => {
      const { blob, total } = await fetchPart(run, path, 0, READ_BYTES_MAX, signal)
      const text = await blob.text()
      return { figure: figureIn(text), foreign: /<script[^>]+src=["']?(https?:)?\/\//i.test(text), total }
    },
    staleTime: Number.POSITIVE_INFINITY,
  })
  const shown = useMemo(() => as || (query.data?.figure && query.data.foreign ? 'figure' : 'page'), [as, query.data])
  if (query.isError) return <Problem error={query.error} retry={() => void query.refetch()} inline />
  if (!query.data) return <Loading what={path} lines={5} />
  const { figure, foreign, total } = query.data
  return (
    <>
      <SegmentedControl
        size="xs"
        w="fit-content"
        aria-label="Show as"
        value={shown}
        onChange={(next) => setAs(next)}
        data={[
          { value: 'page', label: 'Page' },
          ...(figure ? [{ value: 'figure', label: 'Figure, drawn here' }] : []),
          { value: 'source', label: 'Source' },
        ]}
      />
      {shown === 'source' ? (
        <TextView run={run} path={path} />
      ) : shown === 'figure' && figure ? (
        <Suspense fallback={<Loading what={path} lines={5} />}>
          <Figure label={path} {...figure} />
        </Suspense>
      ) : total > PAGE_BYTES_MAX ? (
        <p className="muted">
          It has {bytes(total)}, more than the {bytes(PAGE_BYTES_MAX)} that are shown. Download it.
        </p>
      ) : (
        <>
          <iframe
            title={path}
            src={address(`/runs/${encodeURIComponent(run)}/artifacts/page`, { path })}
            sandbox="allow-scripts"
            referrerPolicy="no-referrer"
            className={styles.frame}
          />
          <p className="muted small">
            {foreign && 'It asks for scripts from elsewhere, which are not loaded. '}
            The page is walled in: it reaches no network, and nothing of Slipway.
          </p>
        </>
      )}
    </>
  )
}
