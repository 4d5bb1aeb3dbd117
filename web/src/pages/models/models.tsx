import { useInfiniteQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import { Empty } from '../../kit/condition.tsx'
import { A } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { List } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'
import styles from './models.module.css'

export function Models() {
  const query = useInfiniteQuery(q.models())
  return (
    <Page
      title="Models"
      lead="Registered versions with their files pinned by digest. What a live release stands on cannot be changed or deleted."
    >
      <Panel>
        <List
          label="Models"
          what="models"
          query={query}
          keyOf={({ name }) => name}
          hrefOf={({ name }) => paths.model(name)}
          empty={
            <Empty
              title="No model is registered yet"
              command={'mlflow.sklearn.log_model(model, name="model", registered_model_name="churn")'}
            />
          }
          columns={[
            {
              key: 'name',
              head: 'Model',
              cell: ({ name }) => <A href={paths.model(name)}>{name}</A>,
              sortBy: ({ name }) => name,
            },
            {
              key: 'aliases',
              head: 'Aliases',
              cell: ({ name, aliases }) => (
                <span className="row wrap">
                  {aliases.map(({ alias, version }) => (
                    <A key={alias} href={paths.modelVersion(name, version)} className={styles.alias}>
                      @{alias} {version}
                    </A>
                  ))}
                </span>
              ),
            },
            {
              key: 'latest',
              head: 'Latest',
              align: 'right',
              cell: ({ latest_versions }) => Math.max(0, ...latest_versions.map(({ version }) => version)) || '–',
            },
            {
              key: 'about',
              head: 'About',
              grow: true,
              wide: true,
              cell: ({ description }) => <span className="soft small">{description}</span>,
            },
            {
              key: 'updated',
              head: 'Changed',
              align: 'right',
              cell: ({ updated_at }) => <Time at={updated_at} />,
              sortBy: ({ updated_at }) => updated_at,
            },
          ]}
        />
      </Panel>
    </Page>
  )
}
