import { ActionIcon, Button } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import type { AuditEvent } from '../../api/types.ts'
import { exact } from '../../kit/format.ts'
import { SubjectLink } from '../../kit/link.tsx'
import { Copy, Facts } from '../../kit/page.tsx'
import styles from './audit.module.css'

/** One event whole: what was, what became of it, field by field. */
export function EventDetail({
  event,
  onClose,
  onSubject,
}: {
  event: AuditEvent
  onClose: () => void
  onSubject: (subject: AuditEvent['subject']) => void
}) {
  const rows = changes(event.before, event.after)
  return (
    <aside className={styles.detail} aria-label={`Event ${event.name}`}>
      <header className="row">
        <h2 className="grow">{event.name}</h2>
        <ActionIcon aria-label="Close" onClick={onClose}>
          <IconX size={17} />
        </ActionIcon>
      </header>
      <Facts
        list
        items={[
          [
            'When',
            <span key="w" style={{ whiteSpace: 'pre-line' }}>
              {exact(Date.parse(event.at))}
            </span>,
          ],
          ['Who', `${event.who.name} (${event.who.kind})`],
          event.who.behalf && ['For', event.who.behalf.name],
          [
            'Subject',
            <SubjectLink key="s" kind={event.subject.kind} id={event.subject.id}>
              {event.subject.kind.replaceAll('-', ' ')} {event.subject.id}
            </SubjectLink>,
          ],
          [
            'Reason',
            event.reason ?? (
              <span key="r" className="muted">
                none given
              </span>
            ),
          ],
          ['Place in the log', event.seq.toLocaleString('en')],
          ['Id', <Copy key="i" text={event.id} />],
        ]}
      />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrolls sideways */}
      <section className={styles.changes} aria-label="What changed" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ field, before, after }) => (
              <tr key={field} data-differs={before !== after || undefined}>
                <th scope="row">{field}</th>
                <td>{before}</td>
                <td>{after}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Button onClick={() => onSubject(event.subject)}>
        All events of this {event.subject.kind.replaceAll('-', ' ')}
      </Button>
    </aside>
  )
}

function changes(before: unknown, after: unknown): { field: string; before: string; after: string }[] {
  const [was, is] = [flat(before), flat(after)]
  return [...new Set([...was.keys(), ...is.keys()])].map((field) => ({
    field,
    before: was.get(field) ?? '',
    after: is.get(field) ?? '',
  }))
}

/** Nested values by their path, two levels deep; deeper ones as they are. */
function flat(value: unknown, path = '', depth = 0, into = new Map<string, string>()): Map<string, string> {
  if (value === null || value === undefined) {
    if (path) into.set(path, '')
  } else if (typeof value === 'object' && !Array.isArray(value) && depth < 2) {
    for (const [key, inner] of Object.entries(value)) flat(inner, path ? `${path}.${key}` : key, depth + 1, into)
  } else into.set(path || 'value', typeof value === 'string' ? value : JSON.stringify(value))
  return into
}
