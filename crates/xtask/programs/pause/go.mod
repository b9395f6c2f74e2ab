module provost/programs/pause

go 1.26
