import { Button, Select, TextInput } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { q } from '../../api/queries.ts'
import type { AuditEvent } from '../../api/types.ts'
import { Empty, Problem } from '../../kit/condition.tsx'
import { shortId } from '../../kit/format.ts'
import { SubjectLink } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { type Column, List } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { plainWords, Words } from '../../kit/words.tsx'
import { useKeys } from '../../shell/keys.ts'
import styles from './audit.module.css'
import { Chain } from './chain.tsx'
import { EventDetail } from './event-detail.tsx'

const AREAS = [
  'access',
  'datasets',
  'quality',
  'tracking',
  'registry',
  'pipelines',
  'serving',
  'monitoring',
  'releases',
]

/** Every change, newest first: by whom, to what, why, before and after. */
export function Audit() {
  const [name, setName] = useUrlState('name')
  const [who, setWho] = useUrlState('who')
  const [from, setFrom] = useUrlState('from')
  const [to, setTo] = useUrlState('to')
  const [kind, setKind] = useUrlState('subject_kind')
  const [id, setId] = useUrlState('subject_id')
  const [chosen, setChosen] = useUrlState('event')
  const filter = useMemo(
    () => ({
      ...(name && { name }),
      ...(who && { who }),
      ...(kind && id && { subject_kind: kind, subject_id: id }),
      ...(from && { from: `${from}T00:00:00Z` }),
      ...(to && { to: `${to}T00:00:00Z` }),
    }),
    [name, who, kind, id, from, to],
  )
  const query = useInfiniteQuery(q.audit(filter))
  const events = query.data?.pages.flatMap(({ items }) => items) ?? []
  const at = events.findIndex((event) => event.id === chosen)
  // A link to an event holds however far back it lies, and whatever the filters let through.
  const alone = useQuery({ ...q.auditEvent(chosen), enabled: chosen !== '' && at < 0 && query.isSuccess })
  const open = events[at] ?? (chosen ? alone.data : undefined)
  const step = (by: number) => {
    const next = events[Math.min(events.length - 1, Math.max(0, at + by))]
    if (next) setChosen(next.id)
    if (at + by >= events.length && query.hasNextPage) void query.fetchNextPage()
  }
  useKeys([
    { keys: 'j', words: 'Next event', run: () => step(1) },
    { keys: 'k', words: 'Previous event', run: () => step(-1) },
    { keys: 'Escape', words: 'Close the event', run: () => setChosen(undefined) },
  ])
  const filtered = Object.keys(filter).length > 0
  const clear = () => {
    for (const set of [setName, setWho, setFrom, setTo, setKind, setId]) set(undefined)
  }
  return (
    <Page
      title="Audit"
      lead="Every change of this workspace with who made it and why. Each is written in the transaction of the change itself, then sealed into a chain."
      facts={<Chain />}
    >
      <Panel>
        <search className={styles.filters}>
          <Select
            size="xs"
            label="What"
            placeholder="anything"
            data={AREAS.map((area) => ({ value: `${area}.`, label: area }))}
            value={AREAS.includes(name.replace(/\.$/, '')) ? name : null}
            onChange={(value) => setName(value ?? undefined)}
            clearable
          />
          <TextInput
            size="xs"
            label="By"
            placeholder="id of a person, token, rule or run"
            defaultValue={who}
            key={`who-${who}`}
            onBlur={(event) => setWho(event.currentTarget.value.trim())}
            onKeyDown={(event) => event.key === 'Enter' && setWho(event.currentTarget.value.trim())}
          />
          <TextInput
            size="xs"
            type="date"
            label="From"
            value={from}
            onChange={(event) => setFrom(event.currentTarget.value)}
          />
          <TextInput
            size="xs"
            type="date"
            label="Before"
            value={to}
            onChange={(event) => setTo(event.currentTarget.value)}
          />
          {kind && id && (
            <p className={styles.subject}>
              <span className="muted small">About</span> {kind.replaceAll('-', ' ')} {shortId(id)}
            </p>
          )}
          {filtered && <Button onClick={clear}>Clear</Button>}
        </search>
        {at < 0 && alone.isError && <Problem error={alone.error} inline />}
        <div className={styles.split} data-open={open ? true : undefined}>
          <div>
            <List<AuditEvent>
              label="Audit"
              what="the audit"
              query={query}
              keyOf={(event) => event.id}
              activeKey={chosen}
              empty={
                <Empty
                  title={filtered ? 'Nothing like this happened' : 'Nothing happened yet'}
                  action={filtered ? <Button onClick={clear}>Clear the filters</Button> : undefined}
                >
                  {filtered ? undefined : 'The first change of this workspace will be the first line here.'}
                </Empty>
              }
              columns={[
                {
                  key: 'at',
                  head: 'When',
                  cell: ({ at: when }) => (
                    <span className="small">
                      <Time at={when} />
                    </span>
                  ),
                },
                {
                  key: 'name',
                  head: 'What',
                  cell: (event) => (
                    <button
                      type="button"
                      className={styles.event}
                      onClick={() => setChosen(event.id === chosen ? undefined : event.id)}
                      aria-expanded={event.id === chosen}
                    >
                      {event.name}
                    </button>
                  ),
                },
                {
                  key: 'subject',
                  head: 'Of',
                  cell: ({ subject }) => (
                    <span className={styles.of}>
                      <span className="muted small">{subject.kind.replaceAll('-', ' ')}</span>{' '}
                      <SubjectLink kind={subject.kind} id={subject.id}>
                        {shortId(subject.id)}
                      </SubjectLink>
                    </span>
                  ),
                },
                {
                  key: 'who',
                  head: 'By',
                  cell: ({ who: actor }) => (
                    <button
                      type="button"
                      className={styles.plain}
                      title={`Only ${actor.id}`}
                      onClick={() => setWho(actor.id)}
                    >
                      {plainWords(actor.name)}
                    </button>
                  ),
                },
                // The event that is open tells why itself.
                ...(open
                  ? []
                  : [
                      {
                        key: 'reason',
                        head: 'Why',
                        grow: true,
                        wide: true,
                        cell: ({ reason }) => (
                          <span className="soft small">
                            <Words text={reason} />
                          </span>
                        ),
                      } as Column<AuditEvent>,
                    ]),
              ]}
            />
          </div>
          {open && (
            <EventDetail
              event={open}
              onClose={() => setChosen(undefined)}
              onSubject={(subject) => {
                setKind(subject.kind)
                setId(subject.id)
              }}
            />
          )}
        </div>
      </Panel>
    </Page>
  )
}
