import {
  ActionIcon,
  Button,
  type CSSVariablesResolver,
  createTheme,
  Modal,
  SegmentedControl,
  Tooltip,
} from '@mantine/core'

/** Mantine gives behaviour and keyboard; what it looks like comes from tokens.css, so that both speak of one set of colours. */
export const theme = createTheme({
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  headings: { fontFamily: 'var(--font)', fontWeight: '600' },
  defaultRadius: 5,
  cursorType: 'pointer',
  primaryColor: 'petrol',
  primaryShade: { light: 7, dark: 3 },
  autoContrast: true,
  fontSizes: { xs: '0.786rem', sm: '0.875rem', md: '0.9375rem', lg: '1.0625rem', xl: '1.25rem' },
  colors: {
    red: ['#fae1de', '#fae1de', '#f2b5ae', '#f79a91', '#e5574c', '#d8463c', '#bf3229', '#a9231b', '#8c1c15', '#6f1610'],
    gray: [
      '#f5f4ef',
      '#efeee8',
      '#ecebe4',
      '#dddbd1',
      '#cfccc1',
      '#bdbaad',
      '#8d959a',
      '#5b6a71',
      '#41545c',
      '#14252c',
    ],
    dark: [
      '#e4ebeb',
      '#adbcc0',
      '#8c9ea5',
      '#5c6f77',
      '#2c4049',
      '#22343c',
      '#182931',
      '#122027',
      '#0d171c',
      '#0a1317',
    ],
    petrol: [
      '#eaf5f6',
      '#dbebec',
      '#b6d7da',
      '#62c6d3',
      '#4aa3b0',
      '#2f8593',
      '#187281',
      '#0b6170',
      '#084b57',
      '#063942',
    ],
  },
  components: {
    Button: Button.extend({ defaultProps: { size: 'xs', variant: 'default' } }),
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: 'subtle', color: 'gray' } }),
    Tooltip: Tooltip.extend({
      defaultProps: {
        openDelay: 250,
        withArrow: false,
        multiline: true,
        maw: 340,
        events: { hover: true, focus: true, touch: true },
      },
    }),
    Modal: Modal.extend({
      defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45 }, transitionProps: { duration: 90 } },
    }),
    SegmentedControl: SegmentedControl.extend({ defaultProps: { size: 'xs' } }),
  },
})

const shared = {
  '--mantine-color-body': 'var(--surface)',
  '--mantine-color-text': 'var(--ink)',
  '--mantine-color-dimmed': 'var(--ink-3)',
  '--mantine-color-placeholder': 'var(--ink-3)',
  '--mantine-color-anchor': 'var(--accent)',
  '--mantine-color-default': 'var(--surface)',
  '--mantine-color-default-hover': 'var(--hover)',
  '--mantine-color-default-color': 'var(--ink)',
  '--mantine-color-default-border': 'var(--line-2)',
  '--mantine-color-error': 'var(--bad)',
  '--mantine-primary-color-filled': 'var(--accent)',
  '--mantine-primary-color-filled-hover': 'var(--accent-2)',
  '--mantine-primary-color-contrast': 'var(--on-accent)',
}

export const variables: CSSVariablesResolver = () => ({ variables: {}, light: shared, dark: shared })
