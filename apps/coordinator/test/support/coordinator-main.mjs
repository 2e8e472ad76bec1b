// The compiled coordinator as a program of its own: its options are JSON, its errors one line.
const { runCoordinator } = await import(new URL("../../dist/index.js", import.meta.url).href);

const options = JSON.parse(process.argv[2]);
const onReady = ({ address }) => process.stdout.write(`ready ${address}\n`);
const onWait = (text) => process.stdout.write(`waits: ${text}\n`);
try {
  process.exitCode = await runCoordinator({ ...options, onReady, onWait });
} catch (error) {
  process.stderr.write(`${error.code}: ${error.message}\n`);
  process.exitCode = 1;
}
