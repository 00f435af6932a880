"use strict";
(() => {
  const transcripts = [...document.querySelectorAll(".transcript")];
  const filter = document.getElementById("filter");
  if (!filter) return;

  const [agent, outcome, words] = ["agent", "outcome", "words"].map((name) => document.getElementById("filter-" + name));
  const shown = document.getElementById("filter-shown");
  const texts = new Map();
  const textOf = (transcript) => {
    if (!texts.has(transcript)) texts.set(transcript, transcript.textContent.toLowerCase());
    return texts.get(transcript);
  };
  const apply = () => {
    const sought = words.value.trim().toLowerCase();
    let count = 0;
    for (const transcript of transcripts) {
      const fits =
        (!agent.value || transcript.dataset.agent === agent.value) &&
        (!outcome.value || transcript.dataset.outcome === outcome.value) &&
        (!sought || textOf(transcript).includes(sought));
      transcript.hidden = !fits;
      count += fits;
    }
    shown.textContent = count + " of " + transcripts.length + " transcripts";
  };
  for (const control of [agent, outcome, words]) control.addEventListener("input", apply);
  filter.hidden = false;
  apply();

  // A page that stands elsewhere opens where it is asked for, too.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.text-link");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const source = document.getElementById(link.hash.slice(1));
    if (!source) return;
    event.preventDefault();
    const open = link.parentElement.querySelector(":scope > .page-text");
    if (open) {
      open.remove();
    } else {
      const copy = source.cloneNode(true);
      copy.removeAttribute("id");
      link.parentElement.append(copy);
    }
    link.setAttribute("aria-expanded", String(!open));
  });
})();
