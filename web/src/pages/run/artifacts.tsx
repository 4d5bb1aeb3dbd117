import { IconChevronDown, IconChevronRight, IconDownload, IconFile, IconFolder } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { q } from '../../api/queries.ts'
import type { RunDetail } from '../../api/types.ts'
import { Empty, Loading, Problem } from '../../kit/condition.tsx'
import { bytes } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { fileAddress } from '../artifacts/file.ts'
import { Viewer } from '../artifacts/viewer.tsx'
import styles from './run.module.css'

type Entry = RunDetail['artifacts'][number]

export function Artifacts({ run, root }: { run: string; root: readonly Entry[] }) {
  const [file, setFile] = useUrlState('file')
  if (root.length === 0)
    return (
      <Panel>
        <Empty title="No artifact was logged" command={'mlflow.log_artifact("report.html")'} />
      </Panel>
    )
  return (
    <Panel>
      <div className={styles.artifacts}>
        <nav aria-label="Files">
          <Folder run={run} entries={root} chosen={file} onPick={setFile} />
        </nav>
        <section className={styles.preview} aria-label="Preview">
          {file ? (
            <>
              <header className="row wrap">
                <strong className="grow">{file}</strong>
                <a href={fileAddress(run, file)} download className="row">
                  <IconDownload size={15} /> Download
                </a>
              </header>
              <Viewer key={file} run={run} path={file} />
            </>
          ) : (
            <p className="muted">Choose a file to look into it.</p>
          )}
        </section>
      </div>
    </Panel>
  )
}

function Folder({
  run,
  entries,
  chosen,
  onPick,
}: {
  run: string
  entries: readonly Entry[]
  chosen: string
  onPick: (path: string) => void
}) {
  return (
    <ul className={styles.tree}>
      {[...entries]
        .sort((a, b) => Number(b.is_dir) - Number(a.is_dir) || a.path.localeCompare(b.path))
        .map((entry) => (
          <li key={entry.path}>
            {entry.is_dir ? (
              <SubFolder run={run} entry={entry} chosen={chosen} onPick={onPick} />
            ) : (
              <FileLine entry={entry} chosen={chosen === entry.path} onPick={onPick} />
            )}
          </li>
        ))}
    </ul>
  )
}

function FileLine({ entry, chosen, onPick }: { entry: Entry; chosen: boolean; onPick: (path: string) => void }) {
  return (
    <button type="button" aria-current={chosen || undefined} onClick={() => onPick(entry.path)}>
      <IconFile size={15} />
      <span className="grow clip">{entry.path.split('/').at(-1)}</span>
      <span className="muted small num">{bytes(entry.size_bytes)}</span>
    </button>
  )
}

function SubFolder({
  run,
  entry,
  chosen,
  onPick,
}: {
  run: string
  entry: Entry
  chosen: string
  onPick: (path: string) => void
}) {
  const [open, setOpen] = useState(chosen.startsWith(`${entry.path}/`))
  const inside = useQuery({ ...q.runFolder(run, entry.path), enabled: open })
  return (
    <>
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? <IconChevronDown size={15} /> : <IconChevronRight size={15} />}
        <IconFolder size={15} />
        <span className="grow clip">{entry.path.split('/').at(-1)}</span>
      </button>
      {open &&
        (inside.data ? (
          <Folder run={run} entries={inside.data} chosen={chosen} onPick={onPick} />
        ) : inside.isError ? (
          <Problem error={inside.error} inline />
        ) : (
          <Loading what="the folder" lines={2} />
        ))}
    </>
  )
}
