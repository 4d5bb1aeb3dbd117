import { Button, SegmentedControl, Select, TextInput } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { q } from '../../api/queries.ts'
import type { Me } from '../../api/types.ts'
import { Empty, Problem } from '../../kit/condition.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Copy, Panel } from '../../kit/page.tsx'
import { List } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'

const ROLES = ['viewer', 'editor', 'admin'] as const
type Role = (typeof ROLES)[number]

/** Members of this workspace; an admin gives roles and invites. */
export function People({ me }: { me: Me }) {
  const client = useQueryClient()
  const [inviting, setInviting] = useState(false)
  const query = useInfiniteQuery(q.members(me.workspace))
  const admin = me.rights.includes('access.admin')
  const done = () => client.invalidateQueries({ queryKey: ['access'] })
  const setRole = useMutation({
    mutationFn: ({ person, role }: { person: string; role: Role }) =>
      api.PUT('/api/slipway/v1/workspaces/{workspace}/members/{person}', {
        params: { path: { workspace: me.workspace, person } },
        body: { role },
      }),
    onSuccess: done,
  })
  return (
    <Panel
      title={`Members of ${me.workspace}`}
      note="A viewer reads, an editor also writes, asks and labels, an admin may do all."
      aside={
        admin && (
          <Button variant="filled" onClick={() => setInviting(true)}>
            Invite
          </Button>
        )
      }
    >
      {setRole.isError && <Problem error={setRole.error} inline />}
      <List
        label="Members"
        what="members"
        query={query}
        keyOf={({ person }) => person}
        empty={
          <Empty title="Nobody is a member yet">
            {me.dev ? 'In development mode nobody has to sign in.' : undefined}
          </Empty>
        }
        columns={[
          { key: 'name', head: 'Person', grow: true, cell: ({ name }) => name },
          {
            key: 'role',
            head: 'Role',
            cell: ({ person, name, role }) =>
              admin ? (
                <Select
                  size="xs"
                  aria-label={`Role of ${name}`}
                  data={[...ROLES]}
                  value={role}
                  allowDeselect={false}
                  onChange={(value) => value && setRole.mutate({ person, role: value as Role })}
                  w={110}
                />
              ) : (
                role
              ),
          },
          { key: 'since', head: 'Since', align: 'right', cell: ({ since }) => <Time at={since} /> },
        ]}
      />
      {inviting && <Invite onClose={() => setInviting(false)} onDone={done} />}
    </Panel>
  )
}

function Invite({ onClose, onDone }: { onClose: () => void; onDone: () => unknown }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('editor')
  const invite = useMutation({
    mutationFn: async () => (await api.POST('/api/slipway/v1/people', { body: { name: name.trim(), role } })).data!,
    onSuccess: onDone,
  })
  return (
    <Dialog title="Invite somebody" onClose={onClose}>
      {invite.data ? (
        <div className="stack">
          <p>Send this link to {invite.data.person.name}. It works once.</p>
          <Copy text={new URL(invite.data.link, location.origin).href} label="the link" />
          <Button onClick={onClose}>Done</Button>
        </div>
      ) : (
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault()
            invite.mutate()
          }}
        >
          <TextInput
            label="Name"
            required
            maxLength={120}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            data-autofocus
          />
          <SegmentedControl
            fullWidth
            aria-label="Role"
            data={[...ROLES]}
            value={role}
            onChange={(value) => setRole(value as Role)}
          />
          {invite.isError && <Problem error={invite.error} inline />}
          <Button type="submit" variant="filled" loading={invite.isPending} disabled={!name.trim()}>
            Make the link
          </Button>
        </form>
      )}
    </Dialog>
  )
}
