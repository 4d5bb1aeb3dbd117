/** A project file changes what several areas guard: whoever applies it needs each one's right, and those that its rules will act with. */
import { DomainError } from '#kernel/errors.ts'
import { may, type Permission, ROLE_RIGHTS, type Who } from '#kernel/http/who.ts'
import { RETRAIN_RIGHTS, RULE_RIGHTS } from '#slices/releases'
import type { ProjectFile } from './schema.ts'

type Section = Exclude<keyof ProjectFile, 'project'>

/** What each section of the file asks for. Rules act later, for whoever applied them, with nobody there to be asked. */
function rightsFor(file: ProjectFile, section: Section): readonly Permission[] {
  switch (section) {
    case 'datasets':
      return ['datasets.write', 'quality.write']
    case 'environments':
      return ['pipelines.write']
    case 'pipelines':
      return Object.values(file.pipelines ?? {}).some(({ triggers }) => triggers?.length)
        ? ROLE_RIGHTS.editor
        : ['pipelines.write']
    case 'endpoints':
      return ['serving.write']
    case 'monitors':
      return ['monitoring.write']
    case 'releases':
      return Object.values(file.releases ?? {}).some(({ retrain }) => retrain)
        ? [...RULE_RIGHTS, ...RETRAIN_RIGHTS]
        : RULE_RIGHTS
  }
}

const SECTIONS: readonly Section[] = ['datasets', 'environments', 'pipelines', 'endpoints', 'monitors', 'releases']

/** Throws forbidden, naming each section of the file, or of the one before it, for which a right is lacking. */
export function refuseWithoutRights(who: Who, file: ProjectFile, before: ProjectFile | undefined): void {
  const lacking = SECTIONS.filter((section) => Object.keys({ ...before?.[section], ...file[section] }).length > 0)
    .map((section) => ({ section, rights: [...new Set(rightsFor(file, section))].filter((right) => !may(who, right)) }))
    .filter(({ rights }) => rights.length > 0)
  if (lacking.length === 0) return
  const words = lacking.map(({ section, rights }) => `'${section}' needs ${rights.join(', ')}`)
  throw new DomainError('forbidden', `${who.name} may not apply this file: ${words.join('; ')}`, {
    field: lacking[0]!.section,
    remedy: 'Ask an admin of the workspace for a role or token with these rights.',
    facts: { lacking },
  })
}
