import { Dialog } from '../kit/dialog.tsx'
import { useKeyList } from './keys.ts'
import styles from './palette.module.css'

export function KeyHelp({ onClose }: { onClose: () => void }) {
  const keys = useKeyList()
  const seen = new Set<string>()
  const listed = keys.filter(({ words }) => !seen.has(words) && seen.add(words))
  const places = listed.filter((key) => key.keys.startsWith('g '))
  const others = listed.filter((key) => !key.keys.startsWith('g '))
  return (
    <Dialog title="Keyboard" size="lg" onClose={onClose}>
      <div className={styles.help}>
        {[
          {
            title: 'Here',
            list: [
              ...others,
              { keys: 'j k', words: 'Along the rows of a table' },
              { keys: 'Enter', words: 'Open the row' },
            ],
          },
          { title: 'Go to', list: places },
        ].map(({ title, list }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {list.map(({ keys: pressed, words }) => (
                <div key={pressed}>
                  <dt>
                    {pressed.split(' ').map((key) => (
                      <kbd key={key}>
                        {key
                          .replace('mod+', 'Ctrl ')
                          .replace(/ (\w)$/, (_, letter: string) => ` ${letter.toUpperCase()}`)}
                      </kbd>
                    ))}
                  </dt>
                  <dd>{words}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
