import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useMemo } from 'react'
import { Loading, Problem } from '../../kit/condition.tsx'
import { bytes } from '../../kit/format.ts'
import styles from './artifacts.module.css'
import { fetchPart } from './file.ts'
import { Grid } from './grid.tsx'
import { HtmlView } from './html-view.tsx'
import { imageType, kindOf } from './kinds.ts'
import { Markdown } from './markdown.tsx'
import { ParquetView } from './parquet-view.tsx'
import { csvCells, figureOf, jsonCells } from './parse.ts'
import { TextView } from './text-view.tsx'

const Figure = lazy(() => import('./figure.tsx').then(({ Figure }) => ({ default: Figure })))

const IMAGE_BYTES_MAX = 32 * 1024 ** 2
/** What is read of a file to show it as something else than text. */
const READ_BYTES_MAX = 8 * 1024 ** 2
const ROWS_MAX = 1000

/** Looks into a file without leaving the page. Nothing in it runs in this page: HTML has a frame that reaches nothing. */
export function Viewer({ run, path }: { run: string; path: string }) {
  const kind = kindOf(path)
  if (kind === 'none')
    return <p className="muted">There is no view of this kind of file. Download it to look into it.</p>
  if (kind === 'page') return <HtmlView run={run} path={path} />
  if (kind === 'parquet') return <ParquetView run={run} path={path} />
  if (kind === 'text') return <TextView run={run} path={path} />
  return <Read run={run} path={path} kind={kind} />
}

function Read({ run, path, kind }: { run: string; path: string; kind: 'image' | 'markdown' | 'table' | 'json' }) {
  const most = kind === 'image' ? IMAGE_BYTES_MAX : READ_BYTES_MAX
  const query = useQuery({
    queryKey: ['run-file', run, path, most],
    queryFn: async ({ signal }) => {
      const part = await fetchPart(run, path, 0, most, signal)
      return { ...part, text: kind === 'image' ? '' : await part.blob.text() }
    },
    staleTime: Number.POSITIVE_INFINITY,
  })
  if (query.isError) return <Problem error={query.error} retry={() => void query.refetch()} inline />
  if (!query.data) return <Loading what={path} lines={5} />
  const { blob, total, text } = query.data
  if (kind === 'image')
    return total > most ? <TooLarge total={total} most={most} /> : <Picture blob={blob} path={path} />
  const whole = total <= most
  return (
    <Suspense fallback={<Loading what={path} lines={5} />}>
      {kind === 'markdown' ? (
        <Markdown text={text} />
      ) : kind === 'table' ? (
        <Table path={path} text={text} whole={whole} />
      ) : whole ? (
        <Json run={run} path={path} text={text} />
      ) : (
        <TextView run={run} path={path} />
      )}
    </Suspense>
  )
}

const TooLarge = ({ total, most }: { total: number; most: number }) => (
  <p className="muted">
    It has {bytes(total)}, more than the {bytes(most)} that are shown. Download it.
  </p>
)

function Picture({ blob, path }: { blob: Blob; path: string }) {
  const url = useMemo(() => URL.createObjectURL(blob.slice(0, blob.size, imageType(path))), [blob, path])
  useEffect(() => () => URL.revokeObjectURL(url), [url])
  return <img src={url} alt={path} className={styles.picture} />
}

function Table({ path, text, whole }: { path: string; text: string; whole: boolean }) {
  const cells = useMemo(
    () => csvCells(text, path.toLowerCase().endsWith('tsv') ? '\t' : ',', ROWS_MAX, whole),
    [text, path, whole],
  )
  return (
    <>
      <Grid label={path} cells={cells} />
      {cells.more && <p className="muted small">The first {cells.rows.length} rows; download it for the rest.</p>}
    </>
  )
}

/** A figure, a table, or text in lines of its own. */
function Json({ run, path, text }: { run: string; path: string; text: string }) {
  const value = useMemo(() => {
    try {
      return JSON.parse(text) as unknown
    } catch {
      return undefined
    }
  }, [text])
  const figure = figureOf(value)
  if (figure) return <Figure label={path} {...figure} />
  const cells = jsonCells(value, ROWS_MAX)
  if (cells && cells.columns.length > 0)
    return (
      <>
        <Grid label={path} cells={cells} />
        {cells.more && <p className="muted small">The first {cells.rows.length} rows; download it for the rest.</p>}
      </>
    )
  return value === undefined ? (
    <TextView run={run} path={path} />
  ) : (
    <TextView run={run} path={path} instead={JSON.stringify(value, null, 2)} />
  )
}
