import {
  IconActivityHeartbeat,
  IconAnchor,
  IconBellRinging,
  IconBinaryTree2,
  IconBox,
  IconClipboardList,
  IconDatabase,
  IconFlask2,
  IconKey,
  IconListCheck,
  IconPlugConnected,
  IconRocket,
  IconRoute,
  IconZoomQuestion,
} from '@tabler/icons-react'
import { paths } from '../paths.ts'

export interface Place {
  label: string
  href: string
  icon: typeof IconAnchor
  /** Pressed after g. */
  letter: string
  /** First segments that belong here. */
  roots: readonly string[]
}

/** The rail, in the order in which a model lives. */
export const PLACES: readonly { group: string; places: readonly Place[] }[] = [
  {
    group: '',
    places: [{ label: 'Overview', href: paths.overview(), icon: IconRoute, letter: 'o', roots: ['', 'overview'] }],
  },
  {
    group: 'Build',
    places: [
      {
        label: 'Datasets',
        href: paths.datasets(),
        icon: IconDatabase,
        letter: 'd',
        roots: ['datasets', 'dataset-versions'],
      },
      {
        label: 'Pipelines',
        href: paths.pipelines(),
        icon: IconBinaryTree2,
        letter: 'p',
        roots: ['pipelines', 'pipeline-runs'],
      },
      {
        label: 'Experiments',
        href: paths.experiments(),
        icon: IconFlask2,
        letter: 'x',
        roots: ['experiments', 'runs', 'charts'],
      },
      { label: 'Models', href: paths.models(), icon: IconBox, letter: 'm', roots: ['models', 'logged-models'] },
    ],
  },
  {
    group: 'Run',
    places: [
      { label: 'Releases', href: paths.releases(), icon: IconRocket, letter: 'r', roots: ['releases', 'retrainings'] },
      { label: 'Endpoints', href: paths.endpoints(), icon: IconAnchor, letter: 'e', roots: ['endpoints'] },
      { label: 'Monitors', href: paths.monitors(), icon: IconActivityHeartbeat, letter: 'w', roots: ['monitors'] },
      { label: 'Alerts', href: paths.alerts(), icon: IconBellRinging, letter: 'l', roots: ['alerts'] },
    ],
  },
  {
    group: 'Answer for',
    places: [
      { label: 'Why', href: paths.why(), icon: IconZoomQuestion, letter: 'y', roots: ['why', 'lineage'] },
      { label: 'Audit', href: paths.audit(), icon: IconClipboardList, letter: 'a', roots: ['audit'] },
      { label: 'Jobs', href: paths.jobs(), icon: IconListCheck, letter: 'j', roots: ['jobs'] },
      {
        label: 'Compatibility',
        href: paths.compatibility(),
        icon: IconPlugConnected,
        letter: 'c',
        roots: ['compatibility'],
      },
      { label: 'Access', href: paths.access(), icon: IconKey, letter: 't', roots: ['access'] },
    ],
  },
]
