import { Button, SegmentedControl, TextInput } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { q } from '../../api/queries.ts'
import { Empty, Problem } from '../../kit/condition.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Copy, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { List } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'

const ROLES = ['viewer', 'editor', 'admin', 'application'] as const
type Role = (typeof ROLES)[number]
const ABOUT: Record<Role, string> = {
  viewer: 'Reads everything.',
  editor: 'Reads and writes; for training scripts and MLflow.',
  admin: 'May do what you may.',
  application: 'Asks for predictions and sends labels, nothing else.',
}

export function Tokens() {
  const client = useQueryClient()
  const [making, setMaking] = useState(false)
  const admin = useQuery(q.me()).data?.rights.includes('access.admin')
  const query = useInfiniteQuery(q.tokens(admin ? 'all' : 'mine'))
  const revoke = useMutation({
    mutationFn: (token: string) => api.DELETE('/api/slipway/v1/tokens/{token}', { params: { path: { token } } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['access'] }),
  })
  return (
    <Panel
      note="For scripts, services and the MLflow client: MLFLOW_TRACKING_TOKEN. Kept as a digest; the secret is shown once."
      title="Tokens"
      aside={
        <Button variant="filled" onClick={() => setMaking(true)}>
          New token
        </Button>
      }
    >
      {revoke.isError && <Problem error={revoke.error} inline />}
      <List
        label="Tokens"
        what="tokens"
        query={query}
        keyOf={({ id }) => id}
        empty={<Empty title="No token yet">Make one for your first script.</Empty>}
        columns={[
          { key: 'name', head: 'Token', cell: ({ name }) => name },
          {
            key: 'state',
            head: 'State',
            cell: ({ revoked_at, expires_at }) => (
              <State
                value={revoked_at ? 'revoked' : Date.parse(expires_at) < Date.now() ? 'deleted' : 'ok'}
                words={revoked_at ? 'revoked' : Date.parse(expires_at) < Date.now() ? 'expired' : 'valid'}
              />
            ),
          },
          {
            key: 'rights',
            head: 'Rights',
            wide: true,
            grow: true,
            cell: ({ rights }) => (
              <span className="soft small" title={rights.join(', ')}>
                {rights.length > 3 ? `${rights.length} rights` : rights.join(', ')}
              </span>
            ),
          },
          { key: 'by', head: 'Of', wide: true, cell: ({ made_by }) => made_by ?? '' },
          {
            key: 'used',
            head: 'Last used',
            align: 'right',
            wide: true,
            cell: ({ last_used_at }) => <Time at={last_used_at} />,
          },
          { key: 'expires', head: 'Expires', align: 'right', cell: ({ expires_at }) => <Time at={expires_at} /> },
          {
            key: 'act',
            head: <span className="sr">Revoke</span>,
            align: 'right',
            cell: ({ id, name, revoked_at }) =>
              !revoked_at && (
                <Button color="red" variant="subtle" aria-label={`Revoke ${name}`} onClick={() => revoke.mutate(id)}>
                  Revoke
                </Button>
              ),
          },
        ]}
      />
      {making && <NewToken onClose={() => setMaking(false)} />}
    </Panel>
  )
}

function NewToken({ onClose }: { onClose: () => void }) {
  const client = useQueryClient()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('editor')
  const make = useMutation({
    mutationFn: async () => (await api.POST('/api/slipway/v1/tokens', { body: { name: name.trim(), role } })).data!,
    onSuccess: () => client.invalidateQueries({ queryKey: ['access'] }),
  })
  return (
    <Dialog title="New token" onClose={onClose}>
      {make.data ? (
        <div className="stack">
          <p>This is the only time it is shown.</p>
          <Copy text={make.data.secret} label="the token" />
          <p className="soft small">
            <code>export MLFLOW_TRACKING_TOKEN=…</code> makes the MLflow client use it.
          </p>
          <Button onClick={onClose}>I have it</Button>
        </div>
      ) : (
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault()
            make.mutate()
          }}
        >
          <TextInput
            label="Name"
            description="What uses it."
            required
            maxLength={120}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            data-autofocus
          />
          <div>
            <SegmentedControl
              fullWidth
              aria-label="Rights"
              data={[...ROLES]}
              value={role}
              onChange={(value) => setRole(value as Role)}
            />
            <p className="muted small" style={{ paddingTop: '0.3rem' }}>
              {ABOUT[role]} It expires after 90 days.
            </p>
          </div>
          {make.isError && <Problem error={make.error} inline />}
          <Button type="submit" variant="filled" loading={make.isPending} disabled={!name.trim()}>
            Make it
          </Button>
        </form>
      )}
    </Dialog>
  )
}
