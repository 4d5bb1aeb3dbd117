import { envName, readConfig, SETTINGS, type Setting, showSetting } from '../config.ts'
import { table } from './output.ts'
import type { CommandAction } from './program.ts'

export const config: CommandAction<[{ data?: string }]> = async ({ cwd, output }, options) => {
  const { origin, ...values } = readConfig({
    cwd,
    env: process.env,
    flags: options.data === undefined ? {} : { data: options.data },
  })
  const settings = Object.keys(SETTINGS) as Setting[]
  const shown = (setting: Setting) => showSetting(setting, values[setting])
  output.answer(
    settings.map((setting) => ({
      setting,
      value: shown(setting),
      origin: origin[setting],
      environment: envName(setting),
      about: SETTINGS[setting].about,
    })),
    () =>
      table(
        ['setting', 'value', 'from', 'about'],
        settings.map((setting) => [setting, String(shown(setting)), origin[setting], SETTINGS[setting].about]),
      ),
  )
  return undefined
}
