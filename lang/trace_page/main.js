drawHead();
drawSummary();
drawTimeline();
drawFilters();
drawShades();
drawTree();
followTheme();
showBranch(trace.branches[0]);
