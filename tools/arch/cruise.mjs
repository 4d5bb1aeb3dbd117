import { readdirSync } from 'node:fs'
import path from 'node:path'
import { cruise } from 'dependency-cruiser'
import { forbidden } from './rules.mjs'

const SOURCE = /\.(ts|tsx|mts)$/
const NOT_OURS = /^(node_modules|dist|arch|\..*)$/

/**
 * Looks at the imports of the TypeScript sources below `folders` of `root`.
 * Fails when it did not see every source file: TypeScript 7 has no compiler API, and with it everything looks clean.
 */
export async function look(root, folders) {
  const present = folders.filter((folder) => readdirSync(root).includes(folder))
  const { output } = await cruise(present, {
    baseDir: root,
    ruleSet: { forbidden },
    validate: true,
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(node_modules|dist)/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.mts', '.mjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'types', 'default'],
    },
  })
  const seen = new Set(output.modules.map((module) => module.source))
  const unseen = present.flatMap((folder) => sources(root, folder)).filter((file) => !seen.has(file))
  return {
    modules: output.modules.filter((module) => SOURCE.test(module.source) && !module.source.includes('node_modules'))
      .length,
    imports: output.summary.totalDependenciesCruised,
    violations: output.summary.violations,
    unseen,
  }
}

function sources(root, folder) {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = `${folder}/${entry.name}`
    if (entry.isDirectory()) return NOT_OURS.test(entry.name) ? [] : sources(root, file)
    return SOURCE.test(entry.name) && !entry.name.endsWith('.d.ts') ? [file] : []
  })
}
