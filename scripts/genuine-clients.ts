/** Fetches what tests with genuine clients need, so that every test that looks for it finds it. Fails in CI when it cannot be had. */
import { genuine } from '../test/support/genuine.ts'
import { released } from '../test/support/released.ts'

try {
  const [found, others] = await Promise.all([genuine(), released()])
  if (found) console.log(`genuine clients: ${found.kubectl}, ${found.kustomize}`)
  for (const one of others) console.log(`genuine clients: ${one.kubectl}, ${one.helm.path} (Helm ${one.helm.version})`)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
