import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { ApiProblem, address } from '../../api/client.ts'
import { Code } from '../../kit/code.tsx'
import { Loading, Problem } from '../../kit/condition.tsx'
import { bytes } from '../../kit/format.ts'
import styles from './run.module.css'

/** What is looked at of a text; the rest is for downloading. */
const TEXT_BYTES_MAX = 256 * 1024
const IMAGE_BYTES_MAX = 16 * 1024 ** 2
const ROWS_MAX = 200
const IMAGE = /\.(png|jpe?g|gif|webp)$/i
const TEXT =
  /(\.(txt|md|json|ya?ml|csv|tsv|py|log|html?|xml|toml|cfg|ini|sh|sql|lock|r|js|ts|css)|MLmodel|requirements|conda)$/i

/** Looks into a file without leaving the page. Nothing in it is run: HTML is shown as its source. */
export function Preview({ run, path }: { run: string; path: string }) {
  const kind = IMAGE.test(path) ? 'image' : TEXT.test(path) ? 'text' : 'other'
  const query = useQuery({
    queryKey: ['run-file', run, path],
    queryFn: ({ signal }) => fetchPart(run, path, kind === 'image' ? IMAGE_BYTES_MAX : TEXT_BYTES_MAX, signal),
    enabled: kind !== 'other',
    staleTime: Number.POSITIVE_INFINITY,
  })
  if (kind === 'other') return <p className="muted">There is no preview of this kind of file.</p>
  if (query.isError) return <Problem error={query.error} inline />
  if (!query.data) return <Loading what={path} lines={4} />
  const { blob, whole } = query.data
  return kind === 'image' ? <Picture blob={blob} alt={path} /> : <Text blob={blob} path={path} whole={whole} />
}

async function fetchPart(
  run: string,
  path: string,
  most: number,
  signal: AbortSignal,
): Promise<{ blob: Blob; whole: boolean }> {
  const reply = await fetch(address(`/runs/${encodeURIComponent(run)}/artifacts/file`, { path }), {
    signal,
    headers: { range: `bytes=0-${most - 1}` },
  })
  if (!reply.ok) throw new ApiProblem(reply.status, (await reply.json().catch(() => ({}))) as object)
  const total = Number(/\/(\d+)$/.exec(reply.headers.get('content-range') ?? '')?.[1] ?? 0)
  return { blob: await reply.blob(), whole: total <= most }
}

function Picture({ blob, alt }: { blob: Blob; alt: string }) {
  const url = useMemo(() => URL.createObjectURL(blob), [blob])
  useEffect(() => () => URL.revokeObjectURL(url), [url])
  return <img src={url} alt={alt} className={styles.picture} />
}

function Text({ blob, path, whole }: { blob: Blob; path: string; whole: boolean }) {
  const { data: text } = useQuery({
    queryKey: ['run-file-text', blob.size, path],
    queryFn: () => blob.text(),
    staleTime: Number.POSITIVE_INFINITY,
  })
  if (text === undefined) return null
  return (
    <>
      {/\.(csv|tsv)$/i.test(path) ? (
        <Cells text={text} by={path.toLowerCase().endsWith('tsv') ? '\t' : ','} />
      ) : (
        <Code label={path} className={styles.text} text={/\.json$/i.test(path) && whole ? pretty(text) : text} />
      )}
      {!whole && <p className="muted small">The first {bytes(TEXT_BYTES_MAX)}; download it for the rest.</p>}
    </>
  )
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

function Cells({ text, by }: { text: string; by: string }) {
  const [head, ...rows] = text
    .split(/\r?\n/, ROWS_MAX + 1)
    .filter(Boolean)
    .map((line) => line.split(by))
  return (
    <div className={styles.cells}>
      <table>
        <thead>
          <tr>
            {head?.map((cell, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: columns of a file that does not change
              <th key={`${at}-${cell}`}>{cell}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, line) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of a file that does not change
            <tr key={line}>
              {row.map((cell, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: columns of a file that does not change
                <td key={`${at}-${cell}`}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
