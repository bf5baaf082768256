// What is vendored is what the packages ship: compared with what `npm ci` has unpacked by its lock file, which names the sum of each
// package. Signals' core comes along as a dependency.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const vendor = new URL('../../../crates/dashboard/web/vendor/', import.meta.url);
const modules = new URL('node_modules/', import.meta.url);
for (const { file, package: name, version, path, sha256 } of JSON.parse(readFileSync(new URL('manifest.json', vendor), 'utf8'))) {
  const shipped = JSON.parse(readFileSync(new URL(`${name}/package.json`, modules), 'utf8'));
  const digest = createHash('sha256').update(readFileSync(new URL(`${name}/${path}`, modules))).digest('hex');
  if (shipped.version !== version || digest !== sha256) {
    console.error(`${file} is not ${path} of ${name} ${version} (here is ${shipped.version})`);
    process.exit(1);
  }
}
console.log('vendored: all as shipped');
