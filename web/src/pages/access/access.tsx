import { Tabs } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import { Empty } from '../../kit/condition.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { List } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { People } from './people.tsx'
import { Tokens } from './tokens.tsx'

/** Who may do what here: tokens, members and their roles, workspaces. */
export function Access() {
  const [tab, setTab] = useUrlState('tab', 'tokens')
  const me = useQuery(q.me()).data
  return (
    <Page
      title="Access"
      lead={me && `You are ${me.name} in workspace ${me.workspace}, with ${me.rights.length} rights.`}
    >
      <Tabs value={tab} onChange={(next) => setTab(next ?? undefined)} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="tokens">Tokens</Tabs.Tab>
          <Tabs.Tab value="people">People</Tabs.Tab>
          <Tabs.Tab value="workspaces">Workspaces</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="tokens" pt="md">
          <Tokens />
        </Tabs.Panel>
        <Tabs.Panel value="people" pt="md">
          {me && <People me={me} />}
        </Tabs.Panel>
        <Tabs.Panel value="workspaces" pt="md">
          <Workspaces />
        </Tabs.Panel>
      </Tabs>
    </Page>
  )
}

function Workspaces() {
  const query = useInfiniteQuery(q.workspaces())
  return (
    <Panel>
      <List
        label="Workspaces"
        what="workspaces"
        query={query}
        keyOf={({ name }) => name}
        empty={<Empty title="You are a member of no workspace">An admin can give you a role.</Empty>}
        columns={[
          {
            key: 'name',
            head: 'Workspace',
            cell: ({ name }) => <a href={`/w/${encodeURIComponent(name)}/`}>{name}</a>,
            sortBy: ({ name }) => name,
          },
          {
            key: 'role',
            head: 'Your role',
            cell: ({ role }) =>
              role ? <State value="ok" words={role} /> : <span className="muted">server admin</span>,
          },
          {
            key: 'about',
            head: 'About',
            grow: true,
            wide: true,
            cell: ({ description }) => <span className="soft small">{description}</span>,
          },
          { key: 'made', head: 'Made', align: 'right', cell: ({ created_at }) => <Time at={created_at} /> },
        ]}
      />
    </Panel>
  )
}
