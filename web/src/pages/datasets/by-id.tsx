import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useEffect } from 'react'
import { q } from '../../api/queries.ts'
import { Show } from '../../kit/condition.tsx'
import { shortId } from '../../kit/format.ts'
import { useGo } from '../../kit/link.tsx'
import { Page } from '../../kit/page.tsx'
import { paths } from '../../paths.ts'

/** Events and lineage know a version by its id; people by name and number. */
export function DatasetVersionById() {
  const { id } = useParams({ strict: false }) as { id: string }
  const go = useGo()
  const query = useQuery(q.datasetVersionById(id))
  const version = query.data
  // biome-ignore lint/correctness/useExhaustiveDependencies: leads on once, when it is known
  useEffect(() => {
    if (version) go(paths.datasetVersion(version.name, version.number), { replace: true })
  }, [version])
  return (
    <Page title={shortId(id)}>
      <Show query={query} what="the version">
        {() => null}
      </Show>
    </Page>
  )
}
