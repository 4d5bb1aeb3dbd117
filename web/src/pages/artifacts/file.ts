import { ApiProblem, address } from '../../api/client.ts'

export const fileAddress = (run: string, path: string): string =>
  address(`/runs/${encodeURIComponent(run)}/artifacts/file`, { path })

export interface Part {
  blob: Blob
  /** Bytes of the whole file. */
  total: number
}

/** Bytes `from` up to `from + most` of a run's file. Throws ApiProblem. */
export async function fetchPart(
  run: string,
  path: string,
  from: number,
  most: number,
  signal: AbortSignal,
): Promise<Part> {
  const range = { range: `bytes=${from}-${from + most - 1}` }
  const reply = await fetch(fileAddress(run, path), { signal, headers: range })
  // An empty file has no first byte to answer with.
  if (reply.status === 416) return { blob: new Blob(), total: 0 }
  if (!reply.ok) throw new ApiProblem(reply.status, (await reply.json().catch(() => ({}))) as object)
  const blob = await reply.blob()
  const stated = /\/(\d+)$/.exec(reply.headers.get('content-range') ?? '')?.[1]
  return { blob, total: stated === undefined ? blob.size : Number(stated) }
}
