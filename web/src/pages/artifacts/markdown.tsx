import { Fragment, type ReactNode } from 'react'
import styles from './artifacts.module.css'

/**
 * Markdown as people write it in reports: headings, lists, tables, code, quotes, emphasis, links. Elements are made one by
 * one, never from text, so that nothing in a file becomes markup; HTML in it is shown as it stands. Links lead to http(s)
 * only, and pictures are named, not loaded.
 */
export function Markdown({ text }: { text: string }) {
  return <article className={styles.markdown}>{blocks(text.split(/\r?\n/))}</article>
}

const LIST = /^\s*(?:[-*+]|\d+[.)])\s+/

function blocks(lines: readonly string[]): ReactNode[] {
  const found: ReactNode[] = []
  let at = 0
  const take = (fits: (line: string) => boolean): string[] => {
    const from = at
    while (at < lines.length && fits(lines[at]!)) at++
    return lines.slice(from, at)
  }
  while (at < lines.length) {
    const key = at
    const line = lines[at]!
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line)
    const fence = /^\s*(```|~~~)/.exec(line)
    if (line.trim() === '') at++
    else if (fence) {
      at++
      const code = take((each) => !each.trim().startsWith(fence[1]!))
      at++
      found.push(<pre key={key}>{code.join('\n')}</pre>)
    } else if (heading) {
      at++
      // The first heading is the page's.
      const Level = `h${Math.min(6, heading[1]!.length + 1)}` as 'h2'
      found.push(<Level key={key}>{spans(heading[2]!)}</Level>)
    } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      at++
      found.push(<hr key={key} />)
    } else if (/^\s*>/.test(line)) {
      const inner = take((each) => /^\s*>/.test(each)).map((each) => each.replace(/^\s*>\s?/, ''))
      found.push(<blockquote key={key}>{blocks(inner)}</blockquote>)
    } else if (LIST.test(line)) {
      const items = take((each) => LIST.test(each) || /^\s{2,}\S/.test(each))
      found.push(list(items, key))
    } else if (line.includes('|') && /^\s*\|?[\s:|-]+\|[\s:|-]*$/.test(lines[at + 1] ?? '')) {
      const rows = take((each) => each.includes('|'))
      found.push(table(rows, key))
    } else {
      const words = take((each) => each.trim() !== '' && !/^(#{1,6}\s|\s*(```|~~~|>))/.test(each) && !LIST.test(each))
      found.push(<p key={key}>{spans(words.join('\n'))}</p>)
    }
  }
  return found
}

function list(lines: readonly string[], key: number): ReactNode {
  const items: string[] = []
  for (const line of lines) {
    if (LIST.test(line)) items.push(line.replace(LIST, ''))
    else items[items.length - 1] += `\n${line.trim()}`
  }
  const List = /^\s*\d/.test(lines[0]!) ? 'ol' : 'ul'
  return (
    <List key={key}>
      {items.map((item, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of a file that does not change
        <li key={at}>{spans(item)}</li>
      ))}
    </List>
  )
}

function table(lines: readonly string[], key: number): ReactNode {
  const cells = (line: string) =>
    line
      .trim()
      .replace(/^\||\|$/g, '')
      .split('|')
      .map((cell) => cell.trim())
  const [head, , ...rows] = lines.map(cells)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section key={key} aria-label="Table" tabIndex={0} className={styles.cells}>
      <table>
        <thead>
          <tr>
            {head!.map((cell, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: columns of a file that does not change
              <th key={at}>{spans(cell)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, line) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of a file that does not change
            <tr key={line}>
              {row.map((cell, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: columns of a file that does not change
                <td key={at}>{spans(cell)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

const SPAN = /(`+)([^`]+?)\1|(!?)\[([^\]]*)\]\(\s*<?([^\s)>]+)[^)]*\)|(\*\*|__)(?=\S)(.+?)\6|(\*|_)(?=\S)([^*_]+?)\8/

function spans(text: string): ReactNode {
  const parts: ReactNode[] = []
  let rest = text
  for (let match = SPAN.exec(rest); match; match = SPAN.exec(rest)) {
    const [all, , code, picture, label, href, , strong, , em] = match
    parts.push(rest.slice(0, match.index))
    if (code !== undefined) parts.push(<code>{code}</code>)
    else if (href !== undefined) parts.push(picture ? <em>[picture: {label || href}]</em> : link(href, label!))
    else if (strong !== undefined) parts.push(<strong>{spans(strong)}</strong>)
    else parts.push(<em>{spans(em!)}</em>)
    rest = rest.slice(match.index + all.length)
  }
  parts.push(rest)
  return parts.map((part, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: parts of a text that does not change
    <Fragment key={at}>{part}</Fragment>
  ))
}

const link = (href: string, label: string): ReactNode =>
  /^https?:\/\//i.test(href) ? (
    <a href={href} target="_blank" rel="noreferrer noopener nofollow">
      {spans(label)}
    </a>
  ) : (
    <span title={href}>{spans(label)}</span>
  )
