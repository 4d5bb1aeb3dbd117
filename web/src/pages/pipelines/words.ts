import type { PipelineRunSummary, PipelineSpec } from '../../api/types.ts'
import { shortId } from '../../kit/format.ts'
import { plainWords } from '../../kit/words.tsx'

export const triggerWords = ({ triggers = [] }: PipelineSpec): string =>
  [
    'by hand',
    ...triggers.map((trigger) =>
      trigger.dataset
        ? `new data of ${trigger.dataset}`
        : trigger.cron
          ? `cron ${trigger.cron}`
          : `event ${trigger.event}`,
    ),
  ].join(', ')

export function causeWords(cause: PipelineRunSummary['cause']): string {
  switch (cause.kind) {
    case 'manual':
      return typeof cause.reason === 'string' ? cause.reason : 'started by hand'
    case 'cron':
      return `cron ${cause.cron}`
    case 'dataset':
      return `new data of ${cause.dataset}`
    case 'event':
      return `event ${cause.event}`
    case 'release':
      return plainWords(typeof cause.reason === 'string' ? cause.reason : 'a release rule')
    case 'retry':
      return `again from ${shortId(String(cause.run))}`
    default:
      return cause.kind
  }
}
