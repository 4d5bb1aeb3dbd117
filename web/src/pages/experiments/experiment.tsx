import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { q } from '../../api/queries.ts'
import { Problem } from '../../kit/condition.tsx'
import { Page } from '../../kit/page.tsx'
import { paths } from '../../paths.ts'
import { RunsPage } from '../runs/runs-page.tsx'

/** The runs of one experiment. */
export function Experiment() {
  const { experiment: id } = useParams({ strict: false }) as { experiment: string }
  const about = useQuery(q.experiment(id))
  const crumbs = [{ label: 'Experiments', href: paths.experiments() }]
  // The search passes over what it does not know, so it would say that there is no run yet.
  if (about.isError && !about.data)
    return (
      <Page title={`Experiment ${id}`} crumbs={crumbs}>
        <Problem error={about.error} retry={() => void about.refetch()} />
      </Page>
    )
  return <RunsPage experiment={id} title={about.data?.name ?? `Experiment ${id}`} crumbs={crumbs} />
}
