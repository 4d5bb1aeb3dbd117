import { Button } from '@mantine/core'
import { IconFolder, IconFolderPlus } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Experiment } from '../../api/types.ts'
import { Empty } from '../../kit/condition.tsx'
import { count, plural } from '../../kit/format.ts'
import { A, useGo } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { type Column, List } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { paths } from '../../paths.ts'
import { experimentsIn, folders } from './data.ts'
import styles from './experiments.module.css'
import { FolderDialog } from './folder-dialog.tsx'
import { subfolders, waysTo } from './folders.ts'

const FOLDER_TAG = 'slipway.folder'
/** Experiments whose runs stand in one table. */
const TOGETHER_MAX = 20

const folderOf = ({ tags }: Experiment): string => tags.find(({ key }) => key === FOLDER_TAG)?.value ?? ''
const atFolder = (folder: string): string => (folder ? `?${new URLSearchParams({ folder })}` : '')

/** All experiments, or those of one folder. */
export function Experiments() {
  const go = useGo()
  const [folder] = useUrlState('folder')
  const [chosen, setChosen] = useState<readonly string[]>([])
  const [moving, setMoving] = useState<Experiment>()
  const query = useInfiniteQuery(experimentsIn(folder))
  const known = useQuery(folders()).data ?? []
  const below = subfolders(known, folder)
  const toggle = (id: string) =>
    setChosen(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id].slice(0, TOGETHER_MAX))
  const columns: Column<Experiment>[] = [
    {
      key: 'pick',
      head: <span className="sr">Choose</span>,
      cell: ({ experiment_id, name }) => (
        <label className={styles.pick}>
          <input
            type="checkbox"
            aria-label={`Choose ${name}`}
            checked={chosen.includes(experiment_id)}
            onChange={() => toggle(experiment_id)}
          />
        </label>
      ),
    },
    {
      key: 'name',
      head: 'Experiment',
      grow: true,
      cell: ({ experiment_id, name }) => <A href={paths.experiment(experiment_id)}>{name}</A>,
      sortBy: ({ name }) => name,
    },
    {
      key: 'folder',
      head: 'Folder',
      wide: true,
      cell: (experiment) => (
        <button
          type="button"
          className={styles.put}
          aria-label={`Folder of ${experiment.name}: ${folderOf(experiment) || 'none'}. Change`}
          onClick={() => setMoving(experiment)}
        >
          {folderOf(experiment) || <IconFolderPlus size={15} />}
        </button>
      ),
      sortBy: (experiment) => folderOf(experiment) || null,
    },
    {
      key: 'running',
      head: 'Now',
      cell: ({ runs }) => (runs.running > 0 ? <State value="running" words={`${runs.running} running`} /> : ''),
    },
    {
      key: 'runs',
      head: 'Runs',
      align: 'right',
      cell: ({ runs }) => count(runs.active),
      sortBy: ({ runs }) => runs.active,
    },
    {
      key: 'last',
      head: 'Last run',
      align: 'right',
      cell: ({ runs }) => <Time at={runs.last_started} />,
      sortBy: ({ runs }) => runs.last_started,
    },
    {
      key: 'made',
      head: 'Made',
      align: 'right',
      wide: true,
      cell: ({ created }) => <Time at={created} />,
      sortBy: ({ created }) => created,
    },
  ]
  return (
    <Page
      title="Experiments"
      lead="Runs of any script that speaks MLflow, and of every pipeline's steps."
      actions={
        chosen.length > 1 && (
          <Button
            variant="filled"
            size="sm"
            onClick={() => go(`${paths.experiment(chosen[0]!)}?also=${chosen.slice(1).join('*')}`)}
          >
            Runs of {plural(chosen.length, 'experiment')} together
          </Button>
        )
      }
    >
      <Panel>
        {(folder || below.length > 0) && (
          <nav className={styles.folders} aria-label="Folders">
            {folder && (
              <ol className={styles.way}>
                <li>
                  <A href={paths.experiments()}>All</A>
                </li>
                {waysTo(folder).map(({ path, name }) => (
                  <li key={path}>
                    {path === folder ? (
                      <strong aria-current="page">{name}</strong>
                    ) : (
                      <A href={paths.experiments() + atFolder(path)}>{name}</A>
                    )}
                  </li>
                ))}
              </ol>
            )}
            {below.map(({ path, name, experiments }) => (
              <A key={path} href={paths.experiments() + atFolder(path)} className={styles.folder}>
                <IconFolder size={15} />
                {name}
                <small>
                  {count(experiments)}
                  <span className="sr"> experiments</span>
                </small>
              </A>
            ))}
          </nav>
        )}
        <List
          label="Experiments"
          what="experiments"
          query={query}
          keyOf={({ experiment_id }) => experiment_id}
          hrefOf={({ experiment_id }) => paths.experiment(experiment_id)}
          empty={
            folder ? (
              <Empty title="No experiment lies right in this folder">
                {below.length > 0 ? 'The folders above hold more.' : 'Put one here from the list of all.'}
              </Empty>
            ) : (
              <Empty title="No experiment yet" command={`MLFLOW_TRACKING_URI=${location.origin} python train.py`} />
            )
          }
          columns={columns}
        />
      </Panel>
      {moving && (
        <FolderDialog
          experiment={moving}
          folder={folderOf(moving)}
          known={known.map((each) => each.folder)}
          onClose={() => setMoving(undefined)}
        />
      )}
    </Page>
  )
}
