import { Autocomplete, Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import type { Experiment } from '../../api/types.ts'
import { Problem } from '../../kit/condition.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import styles from './experiments.module.css'

/** Puts an experiment into a folder, there or new; into none when the field is empty. */
export function FolderDialog({
  experiment,
  folder,
  known,
  onClose,
}: {
  experiment: Experiment
  folder: string
  known: readonly string[]
  onClose: () => void
}) {
  const client = useQueryClient()
  const [text, setText] = useState(folder)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const save = async () => {
    setBusy(true)
    setError(undefined)
    try {
      await api.PATCH('/api/slipway/v1/experiments/{experiment_id}', {
        params: { path: { experiment_id: experiment.experiment_id } },
        body: { folder: text.trim() || null },
      })
      await client.invalidateQueries({ queryKey: ['tracking'] })
      onClose()
    } catch (problem) {
      setError(problem)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog title={`Folder of ${experiment.name}`} onClose={onClose}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          void save()
        }}
      >
        <Autocomplete
          label="Folder"
          description="Slashes part folders: team/vision. Empty: none."
          data={[...known]}
          value={text}
          onChange={setText}
          data-autofocus
        />
        {error !== undefined && <Problem error={error} inline />}
        <div className="row">
          <Button type="submit" variant="filled" size="sm" loading={busy} disabled={text.trim() === folder}>
            Move
          </Button>
          <Button size="sm" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
