import type { Client } from '../client.ts'

const API = '/api/slipway/v1/imports/marks'
const PAGE = 1000

/** What the server remembers of a source, by item. */
export async function readMarks(client: Client, source: string, prefix: string): Promise<Map<string, string>> {
  const marks = new Map<string, string>()
  let after: string | undefined
  do {
    const query = new URLSearchParams({ source, prefix, limit: String(PAGE), ...(after !== undefined && { after }) })
    const page = await client.get<{ items: { item: string; mark: string }[]; next_after?: string }>(`${API}?${query}`)
    for (const { item, mark } of page.items) marks.set(item, mark)
    after = page.next_after
  } while (after !== undefined)
  return marks
}

export async function writeMarks(
  client: Client,
  source: string,
  marks: readonly { item: string; mark: string }[],
): Promise<void> {
  await client.put(API, { source, marks })
}
