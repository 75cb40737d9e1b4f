/** Returns the script that a shell runs once; at each press of Tab it gets candidates from `tercel __complete`. */
export function completionScript(shell: "bash" | "zsh" | "fish"): string {
  return scripts[shell];
}

const scripts = {
  // Bash ends a word at a colon; the script joins the parts again.
  bash: `# bash completion of tercel
_tercel() {
  local IFS=$'\\n'
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=($(compgen -W "$(tercel __complete -- "\${words[@]}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == */ ]] && compopt -o nospace
  return 0
}
complete -o default -F _tercel tercel
`,
  zsh: `#compdef tercel
_tercel() {
  local -a found
  found=("\${(@f)$(tercel __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[1]}" ]]; then
    compadd -S '' -- "\${found[@]}"
  else
    _files
  fi
}
if [[ "\${funcstack[1]}" == "_tercel" ]]; then _tercel "$@"; else compdef _tercel tercel; fi
`,
  fish: `# fish completion of tercel
function __tercel_complete
  set -l words (commandline -opc) (commandline -ct)
  tercel __complete -- $words[2..-1] 2>/dev/null
end
complete -c tercel -f -a '(__tercel_complete)'
complete -c tercel -n '__fish_seen_argument -l proto -l descriptor-set -l from -l save' -F
`,
} as const;
