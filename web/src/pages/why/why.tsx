import { Button } from '@mantine/core'
import { IconPrinter } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { q } from '../../api/queries.ts'
import type { Why as WhyData } from '../../api/types.ts'
import { Show } from '../../kit/condition.tsx'
import { day, measure, shortId, span } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Copy, Facts, Page } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { EventTime, Time } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'
import { Chapter } from './chapter.tsx'
import { Features } from './features.tsx'
import { CodeAndEnvironment, Data, Gate, ModelVersion, RunFacts } from './origins.tsx'
import styles from './why.module.css'

/** One column from the request to the rows that trained the model; each fact leads to its record, and it prints. */
export function Why() {
  const { prediction: id } = useParams({ strict: false }) as { prediction: string }
  const query = useQuery(q.why(id))
  const why = query.data
  return (
    <Page
      title={`Why ${shortId(id)}`}
      titleNode={<>Why this prediction</>}
      crumbs={[
        { label: 'Why', href: paths.why() },
        ...(why ? [{ label: why.endpoint.name, href: paths.endpoint(why.endpoint.name) }] : []),
      ]}
      actions={
        <Button leftSection={<IconPrinter size={15} />} onClick={() => window.print()}>
          Print
        </Button>
      }
      facts={
        <Facts
          items={[
            ['Prediction', <Copy key="i" text={id} />],
            why && ['Answered', <Time key="t" at={why.prediction.at_ms} />],
            why && ['Event time', <EventTime key="e" at={why.prediction.event_ms} withTime />],
          ]}
        />
      }
    >
      <Show query={query} what="the story of this prediction" lines={12}>
        {(data) => <Story why={data} />}
      </Show>
    </Page>
  )
}

function Story({ why }: { why: WhyData }) {
  const { prediction } = why
  const missing = new Map(why.parts_missing.map(({ part, words }) => [part, words]))
  return (
    <ol className={styles.story}>
      <Chapter title="Answer" lead={<Answer why={why} />}>
        <Facts
          items={[
            ['Score', prediction.score === null ? undefined : <b key="s">{measure(prediction.score)}</b>],
            ['Label answered', prediction.label ?? undefined],
            ['Took', span(prediction.latency_us / 1000)],
            ['Key', prediction.key ?? undefined],
          ]}
        />
        {prediction.status !== 'ok' && (
          <p className={styles.fallback}>
            <State value={prediction.status} words={prediction.status === 'fallback' ? 'stood in' : 'failed'} /> Version{' '}
            {prediction.version} was asked first
            {prediction.error && (
              <>
                {' '}
                and did not answer: <code>{prediction.error}</code>
              </>
            )}
            {prediction.status === 'fallback' && `. Version ${prediction.answered_version} answered the same request.`}
          </p>
        )}
      </Chapter>
      <Chapter title="What came of it" missing={missing.get('label')}>
        {why.label && (
          <p>
            The label came as <b>{why.label.value}</b>, observed {day(why.label.observed_ms, true)} UTC.
            {prediction.label !== null &&
              ` The answer was ${why.label.value === prediction.label ? 'right' : `${prediction.label}: wrong`}.`}
          </p>
        )}
      </Chapter>
      <Chapter title="Request" lead="What was asked, and how much each feature moved the answer.">
        <Features why={why} missing={missing.get('attributions')} />
      </Chapter>
      <Chapter title="Model" missing={missing.get('version')}>
        <ModelVersion why={why} />
      </Chapter>
      <Chapter
        title="Let through by"
        missing={
          missing.get('release') ?? (why.release ? undefined : 'no release: the endpoint answered outside of one')
        }
      >
        {why.release && <Gate release={why.release} />}
      </Chapter>
      <Chapter
        title="Trained by"
        missing={missing.get('provenance') ?? (why.run ? undefined : 'the version was registered without a run')}
      >
        {why.run && <RunFacts run={why.run} />}
      </Chapter>
      <Chapter title="On data" missing={missing.get('data')}>
        {why.data.length > 0 && <Data data={why.data} />}
      </Chapter>
      <Chapter
        title="With code and environment"
        missing={
          missing.get('code') ?? (why.code || why.environment ? undefined : 'the run was not a step of a pipeline here')
        }
      >
        <CodeAndEnvironment why={why} />
      </Chapter>
    </ol>
  )
}

function Answer({ why: { prediction, endpoint } }: { why: WhyData }) {
  return (
    <>
      <A href={paths.endpoint(endpoint.name)}>{endpoint.name}</A> answered{' '}
      <b>
        {prediction.label ?? prediction.output ?? 'nothing'}
        {prediction.score !== null && ` with score ${measure(prediction.score)}`}
      </b>{' '}
      by{' '}
      <A href={paths.modelVersion(endpoint.model, prediction.answered_version)}>
        {endpoint.model} {prediction.answered_version}
      </A>
      .
    </>
  )
}
