import { Button, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { q } from '../../api/queries.ts'
import { Empty, Show } from '../../kit/condition.tsx'
import { shortId } from '../../kit/format.ts'
import { A, useGo } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { paths } from '../../paths.ts'
import { PredictionTable } from '../endpoints/predictions.tsx'
import styles from './why.module.css'

const PREDICTION = /prd_[0-9a-f]{32}(\.\d{1,6})?/

/** Where a story begins: an id from a customer's letter, or one of the latest answers. */
export function AskWhy() {
  const go = useGo()
  const [text, setText] = useState('')
  const [tried, setTried] = useState(false)
  const id = PREDICTION.exec(text)?.[0]
  const endpoints = useQuery(q.endpoints())
  return (
    <Page
      title="Why this prediction"
      lead="From the id of an answer to its request, the model that gave it, the run and data behind that, and what let it through."
    >
      <Panel>
        <form
          className={styles.ask}
          onSubmit={(event) => {
            event.preventDefault()
            setTried(true)
            if (id) go(paths.whyPrediction(id))
          }}
        >
          <TextInput
            label="Prediction id"
            description="From the header slipway-prediction-id of the answer; .2 at its end means the third row."
            placeholder="prd_0198f3…"
            className="grow mono"
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            error={tried && text && !id ? 'This is no prediction id: prd_ and 32 letters and digits.' : undefined}
            spellCheck={false}
          />
          <Button type="submit" size="sm" variant="filled">
            Tell me why
          </Button>
        </form>
      </Panel>
      <Show query={endpoints} what="the endpoints">
        {({ items }) =>
          items.length === 0 ? (
            <Panel>
              <Empty title="Nothing serves yet">Once an endpoint answers, its latest predictions are here.</Empty>
            </Panel>
          ) : (
            items.map(({ name }) => (
              <Panel
                key={name}
                title={
                  <>
                    Latest of <A href={paths.endpoint(name)}>{shortId(name)}</A>
                  </>
                }
              >
                <PredictionTable endpoint={name} />
              </Panel>
            ))
          )
        }
      </Show>
    </Page>
  )
}
