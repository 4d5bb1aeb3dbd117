import { Button, Textarea, Tooltip } from '@mantine/core'
import { IconArrowBackUp, IconBan } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ask } from '../../api/client.ts'
import { q } from '../../api/queries.ts'
import type { ReleaseDetail } from '../../api/types.ts'
import { Problem } from '../../kit/condition.tsx'
import { Dialog } from '../../kit/dialog.tsx'

type Kind = 'rollback' | 'refuse'
const WORDS = {
  rollback: { button: 'Roll back', title: 'Roll this release back?', done: 'Roll back now' },
  refuse: { button: 'Refuse', title: 'Refuse this candidate?', done: 'Refuse' },
}

/** Rolling back and refusing, each with a reason that goes into the audit. A button that cannot be pressed says why. */
export function Actions({ release }: { release: ReleaseDetail }) {
  const rights = useQuery(q.me()).data?.rights ?? []
  const [kind, setKind] = useState<Kind>()
  const may = rights.includes('releases.write')
  const candidate = release.state === 'proposed' || release.state === 'checking'
  const way = ['loading', 'canary', 'live'].includes(release.state)
  if (!candidate && !way) return null
  const blocked = !may
    ? 'Needs the right releases.write: ask an admin of the workspace.'
    : release.state === 'live' && !release.previous
      ? 'The first release of its endpoint: there is nothing to go back to.'
      : undefined
  const wanted: Kind = candidate ? 'refuse' : 'rollback'
  return (
    <>
      <Tooltip label={blocked} disabled={!blocked}>
        <Button
          leftSection={candidate ? <IconBan size={15} /> : <IconArrowBackUp size={15} />}
          color="red"
          variant="outline"
          size="sm"
          {...(blocked && { 'data-disabled': true })}
          aria-disabled={Boolean(blocked)}
          onClick={() => !blocked && setKind(wanted)}
        >
          {WORDS[wanted].button}
        </Button>
      </Tooltip>
      {kind && <Confirm release={release} kind={kind} onClose={() => setKind(undefined)} />}
    </>
  )
}

function Confirm({ release, kind, onClose }: { release: ReleaseDetail; kind: Kind; onClose: () => void }) {
  const client = useQueryClient()
  const [reason, setReason] = useState('')
  const send = useMutation({
    mutationFn: () =>
      ask('POST', `/api/slipway/v1/releases/{release}/${kind}`, {
        params: { path: { release: release.id } },
        body: { reason: reason.trim() },
      }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['releases'] })
      onClose()
    },
  })
  const before = release.previous_release
  return (
    <Dialog title={WORDS[kind].title} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          if (reason.trim()) send.mutate()
        }}
      >
        <p className="soft">
          {kind === 'refuse'
            ? `Version ${release.version} will not be released. Traffic stays as it is.`
            : release.state === 'live'
              ? `Traffic and alias go back to version ${before?.version} at once, with everything its bundle stands on. No request is lost.`
              : `Version ${release.version} gets no more traffic; the stable revision answers everything.`}
        </p>
        <Textarea
          label="Reason"
          description="Kept with the release and in the audit."
          required
          autosize
          minRows={2}
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          data-autofocus
        />
        {send.isError && <Problem error={send.error} inline />}
        <div className="row" style={{ justifyContent: 'flex-end' }}>
          <Button onClick={onClose}>Keep it</Button>
          <Button type="submit" color="red" variant="filled" loading={send.isPending} disabled={!reason.trim()}>
            {WORDS[kind].done}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
