import { shortId } from './format.ts'
import { SubjectLink } from './link.tsx'

/** Ids of the platform within a sentence, and digests behind a rule's name. */
const ID = /\b(?:rel|dsv|prn|prd|alt|stp|rev|prj)_[0-9a-f]{32}(?:\.\d{1,6})?\b|@[0-9a-f]{16}\b/g
const KINDS: Record<string, string> = {
  rel: 'release',
  dsv: 'dataset-version',
  prn: 'pipeline-run',
  prd: 'prediction',
  alt: 'alert',
}

/** A sentence of the server: ids in it are short, and lead to what they name. */
export function Words({ text }: { text: string | null | undefined }) {
  if (!text) return null
  const parts: React.ReactNode[] = []
  let from = 0
  for (const { 0: id, index } of text.matchAll(ID)) {
    parts.push(text.slice(from, index))
    const kind = KINDS[id.slice(0, 3)]
    parts.push(
      id.startsWith('@') ? (
        <span key={index} title={id} className="muted">
          {id.slice(0, 5)}
        </span>
      ) : kind ? (
        <SubjectLink key={index} kind={kind} id={id}>
          {shortId(id)}
        </SubjectLink>
      ) : (
        <span key={index} title={id}>
          {shortId(id)}
        </span>
      ),
    )
    from = index + id.length
  }
  parts.push(text.slice(from))
  return <span>{parts}</span>
}

/** The same without links and marks, where the words are within one. */
export const plainWords = (text: string): string =>
  text.replaceAll(ID, (id) => (id.startsWith('@') ? id.slice(0, 5) : shortId(id))).replaceAll('`', '')
