import { event } from '#kernel/events/index.ts'
import type { Permission, Role } from '#kernel/http/who.ts'

export const workspaceCreated = event<{ name: string; description: string }>(
  'access.workspace-created',
  'A workspace was made.',
)
export const personAdded = event<{ id: string; name: string }>('access.person-added', 'A person got an account.')
export const personChanged = event<{ id: string; name: string; disabled: boolean }>(
  'access.person-changed',
  'A person was renamed, locked out or let in again.',
)
export const invitationMade = event<{ person: string; expires_ms: number }>(
  'access.invitation-made',
  'A one-time link was made with which a person chooses a password.',
)
export const passwordSet = event<{ person: string }>('access.password-set', 'A person chose a password.')
export const memberSet = event<{ person: string; name: string; role: Role }>(
  'access.member-set',
  'A person got a role in a workspace.',
)
export const memberRemoved = event<null>('access.member-removed', 'A person left a workspace.')
export const tokenMade = event<{ id: string; name: string; rights: readonly Permission[]; expires_ms: number }>(
  'access.token-made',
  'An API token was made.',
)
export const tokenRevoked = event<{ id: string; name: string; revoked_ms: number }>(
  'access.token-revoked',
  'An API token was revoked.',
)
export const signedIn = event<{ person: string; session: string }>('access.signed-in', 'A person signed in.')
export const signedOut = event<{ person: string; session: string }>('access.signed-out', 'A person signed out.')
