/** Installs what a command needs of the host: says what, and asks when there is somebody to ask. */
import { createInterface } from 'node:readline/promises'
import { installPackages, missing } from '../cluster/requirements.ts'
import type { Requirement } from '../cluster/requirements.ts'
import { UserError } from '../cluster/user-error.ts'

/** `yes`: do not ask. Without a terminal nobody is asked either. Throws when the user says no, or the installation fails. */
export async function provide(needed: readonly Requirement[], options: { readonly yes: boolean }): Promise<void> {
  const lacking = missing(needed)
  if (lacking.length === 0) return
  const packages = lacking.map((requirement) => requirement.debianPackage)
  console.log(`missing on this host: ${lacking.map((requirement) => requirement.what).join(', ')}`)
  if (!options.yes && process.stdin.isTTY && process.stdout.isTTY) {
    const terminal = createInterface({ input: process.stdin, output: process.stdout })
    const answer = await terminal.question(`install the Debian packages ${packages.join(' ')}? [Y/n] `)
    terminal.close()
    if (/^n/i.test(answer.trim())) throw new UserError(`nothing was installed; "apt-get install ${packages.join(' ')}" does the same`)
  }
  console.log(`installing ${packages.join(' ')}`)
  await installPackages(packages)
}
