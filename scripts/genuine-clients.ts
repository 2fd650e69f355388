/** Fetches what tests with genuine clients need, so that every test that looks for it finds it. Fails in CI when it cannot be had. */
import { genuine } from '../test/support/genuine.ts'

try {
  const found = await genuine()
  if (found) console.log(`genuine clients: ${found.kubectl}, ${found.kustomize}`)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
