import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

const tests = ["**/*.test.ts", "**/test/**/*.ts"];

/** Time, randomness and the process are given to a room, never taken by it. */
const given = {
  globals: ["Date", "process", "performance", "setInterval", "setTimeout", "setImmediate"],
  message: "It is given to a room, never taken: inject a Clock, a seed, a Shutdown or an option.",
};

export default defineConfig(
  globalIgnores([
    "**/dist/",
    "**/bundle/",
    "**/generated/",
    "**/node_modules/",
    ".nx/",
    "reports/",
    "runs/",
  ]),
  { linterOptions: { reportUnusedDisableDirectives: "error", reportUnusedInlineConfigs: "error" } },
  js.configs.recommended,
  {
    rules: {
      eqeqeq: "error",
      "no-console": "error",
      // Nothing that came from elsewhere is ever run; e2e/test/nothing-evaluated.test.ts looks for more of it.
      "no-eval": "error",
      "no-new-func": "error",
      "no-restricted-exports": [
        "error",
        {
          restrictDefaultExports: {
            direct: true,
            named: true,
            defaultFrom: true,
            namedFrom: true,
            namespaceFrom: true,
          },
        },
      ],
    },
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    languageOptions: {
      globals: { URL: "readonly", console: "readonly", process: "readonly" },
    },
  },
  { files: ["**/*.cjs"], languageOptions: { sourceType: "commonjs" } },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    rules: {
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unnecessary-condition": [
        "error",
        { allowConstantLoopConditions: "only-allowed-literals" },
      ],
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ["**/*.ts"],
    // One program for all: what packages share is read and checked once.
    languageOptions: {
      parserOptions: { project: "tsconfig.test.json", tsconfigRootDir: import.meta.dirname },
    },
  },
  { files: ["*.ts"], extends: [tseslint.configs.disableTypeChecked] },
  {
    files: ["**/*.ts"],
    ignores: [
      ...tests,
      "**/main.ts",
      "**/ops/**",
      "**/bin/**",
      "apps/cli/**",
      "bench/**",
      "chaos/**",
      "libs/runtime/**",
      "**/vitest.*.ts",
    ],
    rules: {
      "no-restricted-globals": [
        "error",
        ...given.globals.map((name) => ({ name, message: given.message })),
      ],
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: given.message },
        { object: "globalThis", property: "process", message: given.message },
      ],
      "no-restricted-imports": [
        "error",
        {
          paths: ["node:process", "node:timers", "node:timers/promises", "node:perf_hooks"].map(
            (name) => ({ name, message: given.message }),
          ),
        },
      ],
    },
  },
  {
    // Loops over typed arrays, whose bounds the shapes guarantee.
    files: [
      "**/flat/**/*.ts",
      "**/tensor/**/*.ts",
      "**/model/**/*.ts",
      "**/layout/**/*.ts",
      "**/sequences/**/*.ts",
      "**/pairs/**/*.ts",
      "**/losses/**/*.ts",
    ],
    rules: { "@typescript-eslint/no-non-null-assertion": "off" },
  },
  {
    files: tests,
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      // expect.any() and its kin are typed any.
      "@typescript-eslint/no-unsafe-assignment": "off",
    },
  },
  { files: ["examples/**"], rules: { "no-console": "off" } },
  {
    files: ["**/*.config.{ts,mjs,js}", "**/vitest.*.ts"],
    rules: { "no-restricted-exports": "off" },
  },
);
